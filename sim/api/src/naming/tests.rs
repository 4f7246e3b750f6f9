//! Facts from upstream's own tables (`pkg/util/validation/{validation,ip}_test.go`), and laws against models.

use proptest::prelude::*;

use super::*;

fn expect_valid(check: fn(&str) -> Vec<String>, texts: &[&str]) {
    for text in texts {
        assert_eq!(check(text), Vec::<String>::new(), "`{text}`");
    }
}

fn expect_wrong(check: fn(&str) -> Vec<String>, texts: &[&str]) {
    for text in texts {
        assert!(!check(text).is_empty(), "`{text}`");
    }
}

const WRONG_WITHOUT_DOTS: [&str; 26] = [
    "", "A", "ABC", "aBc", "A1", "A-1", "1-A", "-", "a-", "-a", "1-", "-1", "_", "a_", "_a", "a_b", "1_",
    "_1", "1_2", " ", "a ", " a", "a b", "1 ", " 1", "1 2",
];
const LABELS: [&str; 12] =
    ["a", "ab", "abc", "a1", "a-1", "a--1--2--b", "0", "01", "012", "1a", "1-a", "1--a--b--2"];

#[test]
fn dns_labels() {
    expect_valid(dns1123_label, &LABELS);
    expect_valid(dns1123_label, &[&"a".repeat(63)]);
    expect_wrong(dns1123_label, &WRONG_WITHOUT_DOTS);
    expect_wrong(dns1123_label, &[".", "a.", ".a", "a.b", "1.", ".1", "1.2", &"a".repeat(64), "ä"]);
    assert_eq!(dns1123_label("a.b"), ["must not contain dots"]);
    assert_eq!(
        dns1123_label(&"A".repeat(64)),
        [
            "must be no more than 63 characters",
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
             end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
        ]
    );

    expect_valid(dns1035_label, &["a", "ab", "abc", "a1", "a-1", "a--1--2--b", &"a".repeat(63)]);
    expect_wrong(
        dns1035_label,
        &["0", "01", "012", "1a", "1-a", "1--a--b--2", ".", "a.b", "1.2", &"a".repeat(64)],
    );
    expect_wrong(dns1035_label, &WRONG_WITHOUT_DOTS);
}

#[test]
fn dns_subdomains() {
    let good = [
        "a.a",
        "ab.a",
        "abc.a",
        "a1.a",
        "a-1.a",
        "a--1--2--b.a",
        "a.1",
        "0.a",
        "1a.a",
        "1--a--b--2.1",
        "a.b.c.d.e",
        "1.2.3.4.5",
        "11.22.33.44.55",
        "example.com",
    ];
    expect_valid(dns1123_subdomain, &LABELS);
    expect_valid(dns1123_subdomain, &good);
    expect_valid(dns1123_subdomain, &[&"a".repeat(253)]);
    expect_wrong(dns1123_subdomain, &WRONG_WITHOUT_DOTS);
    let wrong = [
        ".", "a.", ".a", "a..b", "1.", ".1", "1..2", "A.a", "aB.a", "ab.A", "a@b", "a,b", "a;b", "a:b",
        "a%b", "a?b", "a$b", "a.-b", "a-.b",
    ];
    expect_wrong(dns1123_subdomain, &wrong);
    expect_wrong(dns1123_subdomain, &[&"a".repeat(254)]);

    let check = dns1123_subdomain_with_underscore;
    expect_valid(
        check,
        &["example.com", "_example.com", "sub._example.com", "sub-domain.example.com", "sub_domain.a"],
    );
    expect_wrong(
        check,
        &["", "Example.com", "-example.com", "example.com-", "example@.com", "__a", "_", "a_"],
    );

    expect_valid(wildcard_dns1123_subdomain, &["*.example.com", "*.bar.com", "*.foo.bar.com"]);
    expect_wrong(wildcard_dns1123_subdomain, &["*.*.bar.com", "*.foo.*.com", "*bar.com", "f*.bar.com", "*"]);
}

#[test]
fn fully_qualified_domains() {
    let good = ["a.com", "k8s.io", "dev.k8s.io", "dev.k8s.io.", "this.is.a.really.long.fqdn", "10.0.0.1"];
    expect_valid(fully_qualified_domain, &good);
    expect_valid(fully_qualified_domain, &[&format!("{}.k8s.io", "a".repeat(63))]);
    let wrong = [
        ".",
        "...",
        ".io",
        "com",
        ".com",
        "Dev.k8s.io",
        ".foo.example.com",
        "*.example.com",
        "underscores_are_bad.k8s.io",
        "foo@bar.example.com",
        "http://foo.example.com",
    ];
    expect_wrong(fully_qualified_domain, &wrong);
    expect_wrong(fully_qualified_domain, &[&format!("{}.k8s.io", "a".repeat(64))]);
}

#[test]
fn prefixes_of_generated_names_may_end_in_a_dash() {
    for (prefix, masked) in
        [("web-", "wea"), ("a-", "a"), ("-", "-"), ("web", "web"), ("web--", "weba"), ("ä-", "a")]
    {
        assert_eq!(mask_trailing_dash(prefix), masked);
    }
}

#[test]
fn keys_and_values_of_labels() {
    let good = [
        "simple",
        "now-with-dashes",
        "1-starts-with-num",
        "1234",
        "simple/simple",
        "now-with-dashes/now-with-dashes",
        "now.with.dots/simple",
        "now-with.dashes-and.dots/simple",
        "1-num.2-num/3-num",
        "1234/5678",
        "1.2.3.4/5678",
        "Uppercase_Is_OK_123",
        "example.com/Uppercase_Is_OK_123",
        "requests.storage-foo",
    ];
    expect_valid(qualified_name, &good);
    expect_valid(qualified_name, &[&"a".repeat(63), &format!("{}/{}", "a".repeat(253), "b".repeat(63))]);
    let wrong = [
        "nospecialchars%^=@",
        "cantendwithadash-",
        "-cantstartwithadash-",
        "only/one/slash",
        "Example.com/abc",
        "example_com/abc",
        "example.com/",
        "/simple",
        "",
    ];
    expect_wrong(qualified_name, &wrong);
    expect_wrong(qualified_name, &[&"a".repeat(64), &format!("{}/abc", "a".repeat(254))]);
    let pattern = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                   alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
                   '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    assert_eq!(
        qualified_name("/"),
        [
            "prefix part must be non-empty".to_owned(),
            "name part must be non-empty".into(),
            format!("name part {pattern}"),
        ]
    );
    assert_eq!(
        qualified_name("a/b/c"),
        [format!(
            "a qualified name {pattern} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        )]
    );

    expect_valid(
        label_value,
        &["simple", "now-with-dashes", "1-starts-with-num", "1234", "", &"a".repeat(63)],
    );
    let wrong = [
        "nospecialchars%^=@",
        "Tama-nui-te-rā.is.Māori.sun",
        "\\backslashes\\are\\bad",
        "-starts-with-dash",
        "ends-with-dash-",
        ".starts.with.dot",
        "ends.with.dot.",
        "a/b",
    ];
    expect_wrong(label_value, &wrong);
    expect_wrong(label_value, &[&"a".repeat(64)]);
}

#[test]
fn environment_variables_and_keys() {
    let good = [
        "-", ":", "_", "+a", ">a", "<a", "a.", "a..", "*a", "%a", "?a", "a:a", "a_a", "aAz", "~a", "|a",
        "a0a", "a9", "/a", "a ", "#a", "0a", "0 a", "'a", "(a", "@a",
    ];
    expect_valid(env_var_name, &good);
    expect_wrong(
        env_var_name,
        &["", "=", "a=", "1=a", "a=b", "#%=&&", "\u{1}abc", "\u{82}abc", "Ç ç", "Ñ ñ", "\x7f"],
    );
    expect_valid(env_var_name_strict, &["my.env-name", "MY_ENV.NAME", "MyEnvName1", "-a", ".a", "_"]);
    expect_wrong(env_var_name_strict, &["", "1a", "a=b", "a b", ".", "..", "..a", "ä"]);

    let good = ["a", "good", "good-good", "still.good", ".so.is.this", "THIS_IS_GOOD", "so_is_this_17"];
    expect_valid(config_map_key, &good);
    expect_wrong(config_map_key, &[".", "..", "..bad", "b*d", "bad!&bad", "", &"a".repeat(254)]);
    assert_eq!(config_map_key("..x"), ["must not start with '..'"]);

    let good = ["a", "ab", "_a", "a_", "a__1__2__b", "__abc_123", "A", "AbC", "__123_ABC"];
    expect_valid(c_identifier, &good);
    expect_wrong(c_identifier, &["", "1", "123", "1a", "-", "a-", "a.b", " ", "a b", "#a#", "1_2"]);
}

#[test]
fn ports_users_and_percentages() {
    expect_valid(port_name, &["telnet", "re-mail-ck", "pop3", "a", "a-1", "1-a", "a-1-b-2-c", "1-a-2-b-3"]);
    let wrong =
        ["longerthan15characters", "", "12345", "1-2-3-4", "-begin", "end-", "two--hyphens", "whois++"];
    expect_wrong(port_name, &wrong);
    assert_eq!(
        port_name("--"),
        [
            "must contain at least one letter (a-z)",
            "must not contain consecutive hyphens",
            "must not begin or end with a hyphen",
        ]
    );
    assert!([1, 2, 1000, 16_384, 32_768, 65_535].iter().all(|it| port_number(*it).is_empty()));
    for wrong in [0, -1, 65_536, 100_000] {
        assert_eq!(port_number(wrong), ["must be between 1 and 65535, inclusive"]);
    }
    assert!(
        [0, 1, 65_535, 2_147_483_647].iter().all(|it| user_id(*it).is_empty() && group_id(*it).is_empty())
    );
    assert!(
        [-1, -1003, 2_147_483_648].iter().all(|it| !user_id(*it).is_empty() && !group_id(*it).is_empty())
    );

    expect_valid(percent, &["0%", "00000%", "1%", "01%", "99%", "100%", "101%"]);
    expect_wrong(
        percent,
        &["", "%", "0", "100", "0.0%", "99.9%", "hundred", " 1%", "1% ", "-0%", "-1%", "+1%"],
    );
    expect_valid(http_header_name, &["Accept-Encoding", "Host", "a", "-a", "a--1--2--b", "--123-ABC"]);
    expect_wrong(http_header_name, &["Host:", "X-@Home", "", "_", "a_", "a.b", "a b", "#a#"]);
}

#[test]
fn path_segments_and_annotations() {
    expect_valid(path_segment_name, &["", "a", "a.b", "...", "system:node"]);
    assert_eq!(path_segment_name("."), ["may not be '.'"]);
    assert_eq!(path_segment_name("a/%"), ["may not contain '/'", "may not contain '%'"]);
    expect_valid(path_segment_prefix, &[".", ".."]);

    let annotations = |length: usize| crate::labels::Labels::from([("key", "x".repeat(length))]);
    assert!(annotations_size(&annotations(ANNOTATIONS_BYTES_MAX - 3)).is_empty());
    assert_eq!(
        annotations_size(&annotations(ANNOTATIONS_BYTES_MAX - 2)),
        ["annotations size 262145 is larger than limit 262144"]
    );
}

#[test]
fn addresses() {
    let invalid = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    let mapped = "must not be an IPv4-mapped IPv6 address";
    let table = [
        ("1.2.3.4", None, None),
        ("0.0.0.0", None, None),
        ("255.255.255.255", None, None),
        ("1234::abcd", None, None),
        ("::", None, None),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
        ("0:0:0:0:0:0:0:0", None, Some("must be in canonical form (\"::\")")),
        ("0001:002:03:4::", None, Some("must be in canonical form (\"1:2:3:4::\")")),
        ("1234::ABCD", None, Some("must be in canonical form (\"1234::abcd\")")),
        ("1.1.1.01", None, Some("must not have leading 0s")),
        ("::ffff:1.1.1.1", None, Some(mapped)),
        ("::ffff:1.1.1.01", None, Some("must not have leading 0s")),
        ("", Some(invalid), None),
        ("aaaaaaa", Some(invalid), None),
        ("myhost.mydomain", Some(invalid), None),
        ("1.2.3.0/24", Some(invalid), None),
        ("1.2.3.400", Some(invalid), None),
        ("-1.0.0.0", Some(invalid), None),
        ("2001:db8::10005", Some(invalid), None),
        ("1.2.3.4:80", Some(invalid), None),
        ("[2001:db8::1]", Some(invalid), None),
        ("[2001:db8::1]:80", Some(invalid), None),
        ("example.com:80", Some(invalid), None),
        ("1234::abcd%eth0", Some(invalid), None),
        ("169.254.0.0%eth0", Some(invalid), None),
        ("1.2.3", Some(invalid), None),
        ("1.2.3.4.5", Some(invalid), None),
        ("1:2:3:4:5:6:7::8", Some(invalid), None),
        ("1::2::3", Some(invalid), None),
        (":", Some(invalid), None),
    ];
    for (text, sloppy, strict) in table {
        assert_eq!(ip_address_sloppy(text), Vec::from_iter(sloppy), "{text}");
        assert_eq!(ip_address(text), Vec::from_iter(sloppy.or(strict)), "{text}");
    }
    expect_valid(
        cidr_sloppy,
        &["10.0.0.0/8", "10.1.2.3/8", "::/0", "2001:db8::/64", "010.0.0.0/08", "1.2.3.4/32"],
    );
    expect_wrong(
        cidr_sloppy,
        &["", "10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/", "/8", "a/8"],
    );
}

/// The model: what a regular expression of the form `first inner* last` says, letter by letter.
fn fits(text: &str, outer: &str, inner: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let Some((first, rest)) = letters.split_first() else { return false };
    let ends = outer.contains(*first) && rest.last().is_none_or(|it| outer.contains(*it));
    ends && rest.iter().all(|it| outer.contains(*it) || inner.contains(*it))
}

proptest! {
    #[test]
    fn checks_agree_with_letter_by_letter_models(text in "[a-b0A_./é -]{0,5}") {
        let (lower, word) = ("ab0", "ab0A");
        let is_subdomain = text.split('.').all(|it| fits(it, lower, "-"));
        prop_assert_eq!(dns1123_label(&text).is_empty(), fits(&text, lower, "-"));
        prop_assert_eq!(dns1123_subdomain(&text).is_empty(), is_subdomain);
        prop_assert_eq!(dns1035_label(&text).is_empty(), fits(&text, lower, "-") && !text.starts_with('0'));
        prop_assert_eq!(label_value(&text).is_empty(), text.is_empty() || fits(&text, word, "-_."));
        let is_qualified = match text.split('/').collect::<Vec<_>>().as_slice() {
            [name] => fits(name, word, "-_."),
            [prefix, name] => prefix.split('.').all(|it| fits(it, lower, "-")) && fits(name, word, "-_."),
            _ => false,
        };
        prop_assert_eq!(qualified_name(&text).is_empty(), is_qualified);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,10}") {
        let checks = [
            dns1123_label, dns1123_subdomain, dns1035_label, fully_qualified_domain, qualified_name, label_value, percent,
            env_var_name, env_var_name_strict, config_map_key, port_name, ip_address, cidr_sloppy, path_segment_name,
        ];
        checks.iter().for_each(|check| drop(check(&text)));
        let _ = mask_trailing_dash(&text);
    }

    /// Whatever the standard library writes is canonical.
    #[test]
    fn addresses_that_were_printed_are_valid(bits in any::<u128>(), short in any::<u32>()) {
        let (long, short) = (std::net::Ipv6Addr::from(bits), std::net::Ipv4Addr::from(short));
        prop_assert!(long.to_ipv4_mapped().is_some() || ip_address(&long.to_string()).is_empty());
        prop_assert!(ip_address(&short.to_string()).is_empty());
    }
}
