//! Whether a text is a schedule in the form of cron.
//!
//! Upstream: `ParseStandard` of `github.com/robfig/cron/v3`.

use crate::duration::GoDuration;

/// Minute, hour, day of month, month, day of week: the least and greatest number, and names for them.
const FIELDS: [(u32, u32, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    (0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

const DESCRIPTORS: [&str; 7] =
    ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// What is wrong with `schedule`, in upstream's words.
pub(super) fn check_schedule(schedule: &str) -> Result<(), String> {
    let has_zone = schedule.starts_with("TZ=") || schedule.starts_with("CRON_TZ=");
    let schedule =
        if has_zone { schedule.split_once(' ').map_or("", |(_, rest)| rest.trim()) } else { schedule };
    if schedule.is_empty() {
        return Err("empty spec string".into());
    }
    if schedule.starts_with('@') {
        return check_descriptor(schedule);
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        let (count, shown) = (fields.len(), fields.join(" "));
        return Err(format!("expected exactly 5 fields, found {count}: [{shown}]"));
    }
    for (field, (low, high, names)) in fields.into_iter().zip(FIELDS) {
        for part in field.split(',').filter(|it| !it.is_empty()) {
            check_range(part, low, high, names)?;
        }
    }
    Ok(())
}

fn check_descriptor(descriptor: &str) -> Result<(), String> {
    if DESCRIPTORS.contains(&descriptor) {
        return Ok(());
    }
    let Some(duration) = descriptor.strip_prefix("@every ") else {
        return Err(format!("unrecognized descriptor: {descriptor}"));
    };
    match duration.parse::<GoDuration>() {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("failed to parse duration {descriptor}: {error}")),
    }
}

/// `number`, `number-number`, `*` or `?`, perhaps with `/number` behind it.
fn check_range(text: &str, low: u32, high: u32, names: &[&str]) -> Result<(), String> {
    let parts: Vec<&str> = text.split('/').collect();
    let bounds: Vec<&str> = parts[0].split('-').collect();
    let (mut start, mut end) = (low, high);
    if !matches!(bounds[0], "*" | "?") {
        start = number_or_name(bounds[0], low, names)?;
        end = match bounds[..] {
            [_] => start,
            [_, end] => number_or_name(end, low, names)?,
            _ => return Err(format!("too many hyphens: {text}")),
        };
    }
    match parts[..] {
        [_] => (),
        [_, step] => {
            if number(step)? == 0 {
                return Err(format!("step of range should be a positive number: {text}"));
            }
            if bounds.len() == 1 {
                end = high; // `3/5` means `3-59/5`.
            }
        }
        _ => return Err(format!("too many slashes: {text}")),
    }
    if start < low {
        return Err(format!("beginning of range ({start}) below minimum ({low}): {text}"));
    }
    if high < end {
        return Err(format!("end of range ({end}) above maximum ({high}): {text}"));
    }
    if end < start {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    Ok(())
}

fn number_or_name(text: &str, low: u32, names: &[&str]) -> Result<u32, String> {
    let position = names.iter().zip(low..).find(|(name, _)| name.eq_ignore_ascii_case(text));
    position.map_or_else(|| number(text), |(_, value)| Ok(value))
}

fn number(text: &str) -> Result<u32, String> {
    let is_number = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    if !is_number {
        let quoted = crate::quote(text);
        return Err(format!(
            "failed to parse int from {text}: strconv.Atoi: parsing {quoted}: invalid syntax"
        ));
    }
    Ok(text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::check_schedule;

    #[test]
    fn schedules_are_read_as_cron_reads_them() {
        let valid = [
            "* * * * *",
            "*/5 0 1,15 * mon-fri",
            "0 0 1 jan ?",
            "5/10 8-18/2 * JAN-Dec 0",
            "@hourly",
            "@every 1h30m",
            "CRON_TZ=Europe/Berlin 0 0 * * *",
        ];
        for schedule in valid {
            assert_eq!(check_schedule(schedule), Ok(()), "{schedule}");
        }
        let wrong = [
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("30-20 * * * *", "beginning of range (30) beyond end of range (20): 30-20"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            ("a * * * *", "failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax"),
            ("* * * * 7", "end of range (7) above maximum (6): 7"),
            ("@never", "unrecognized descriptor: @never"),
        ];
        for (schedule, expected) in wrong {
            assert_eq!(check_schedule(schedule), Err(expected.into()), "{schedule}");
        }
    }
}
