//! Whether `configuration.yaml` is YAML at all; where it is not, Home Assistant starts in its recovery mode.

use serde::de::IgnoredAny;

/// Whether the text is no YAML. Tags such as `!include` and keys that stand twice are none of its faults, as for Home
/// Assistant; a file that says nothing is whole.
pub fn is_broken(text: &str) -> bool {
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    !text.lines().all(blank) && yaml_serde::from_str::<IgnoredAny>(text).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_yaml_is_found() {
        for text in [
            "homeassistant:\n\tname: x\n",
            "homeassistant:\n  auth_providers:\n\t- type: homeassistant\n",
            "homeassistant:\n  name: Home\n auth_providers:\n",
            "homeassistant:\n  name: Home\n    auth_providers:\n      - type: homeassistant\n",
            "homeassistant:\n  auth_providers: [{type: homeassistant}\n",
            "homeassistant:\n  name: \"Home\n  auth_providers:\n",
            "homeassistant:\n  auth_providers\n    - type: homeassistant\n",
            "homeassistant\n  name: x\n",
            "http:\nthis is no entry\nhomeassistant:\n  name: x\n",
            "<<<<<<< HEAD\nhomeassistant:\n  name: x\n",
        ] {
            assert!(is_broken(text), "{text}");
        }
    }

    #[test]
    fn yaml_of_every_style_passes() {
        for text in [
            "",
            "# only a comment\n\n---\nhomeassistant:\n...\n",
            "\u{feff}homeassistant: # yes\r\n  name: Home\r\n",
            "%YAML 1.1\n---\n'homeassistant':\n    \"name\": It's \"mine\" # my 'home\n",
            "homeassistant:\n  auth_providers:\n  - type: homeassistant\n  -   type: trusted_networks\n      trusted_networks:\n      - 10.0.0.0/8\n  name: a\n",
            "homeassistant:\n  auth_providers: [\n{type: homeassistant},\n]\nhttp:\n",
            "homeassistant:\n  name: a long\n    name over lines\n  url: \"http://x\n    and: more\"\n  customize: !include customize.yaml\n",
            "more: &more\n  name: x\nhomeassistant:\n  packages: {a: !include a.yaml, b: 'it''s'}\n  <<: *more\n",
            "alias: Rock - 'n Roll\n\"media: player\":\n  name: x\nname: a\nname: b\n",
            "script:\n- sequence: >-\n    {{ 'a' }} [ {% if x %}\n    \ttab\n\n    ' and \" open\nautomation:\n- alias: don't [ panic\n  trigger: \"x \\\" # y\"\n- |\n  }{\n? x\n: y\nhomeassistant:\n  name: x\n",
            "homeassistant:\n  customize_glob:\n    \"light.*\":\n      icon: mdi:lamp\n    a.b: {icon: mdi:x}\n  time: 12:30:00\n",
        ] {
            assert!(!is_broken(text), "{text}");
        }
    }
}
