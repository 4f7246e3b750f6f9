//! Text in quotes, as Go's `%q` writes it: for messages in upstream's words.

use std::fmt::Write;

/// `text` in double quotes, with everything escaped that does not show.
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        write_letter(letter, &mut quoted).expect("writing to memory cannot fail");
    }
    quoted.push('"');
    quoted
}

fn write_letter(letter: char, out: &mut String) -> std::fmt::Result {
    match letter {
        '"' | '\\' => write!(out, "\\{letter}"),
        '\x07' => out.write_str("\\a"),
        '\x08' => out.write_str("\\b"),
        '\x0b' => out.write_str("\\v"),
        '\x0c' => out.write_str("\\f"),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\0'..='\x1f' | '\x7f' => write!(out, "\\x{:02x}", u32::from(letter)),
        ' ' => out.write_char(' '),
        _ if !letter.is_control() && !letter.is_whitespace() => out.write_char(letter),
        '\0'..='\u{ffff}' => write!(out, "\\u{:04x}", u32::from(letter)),
        _ => write!(out, "\\U{:08x}", u32::from(letter)),
    }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn quotes_as_go_does() {
        let table = [
            ("plain text", r#""plain text""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("\t\n\r\x07\x08\x0b\x0c", r#""\t\n\r\a\b\v\f""#),
            ("\0\x1b\x7f", r#""\x00\x1b\x7f""#),
            ("ü日本", r#""ü日本""#),
            ("\u{a0}\u{85}\u{2028}", r#""\u00a0\u0085\u2028""#),
        ];
        for (text, expected) in table {
            assert_eq!(quote(text), expected);
        }
    }
}
