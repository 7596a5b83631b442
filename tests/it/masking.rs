//! What is masked before it is stored, and what stays readable: a table of both.

use berth_domain::masking::{masked, masked_lines};

/// What programs print, and what is kept of it.
const SECRETS: &[(&str, &str)] = &[
    // Names and values, as environments, configurations and programs write them.
    ("DB_PASSWORD=hunter2-LOG", "DB_PASSWORD=[masked]"),
    ("password=hunter2 user=app", "password=[masked] user=app"),
    ("password = 'two words' user = app", "password = '[masked]' user = app"),
    ("password: hunter2", "password: [masked]"),
    ("Passwd:hunter2,", "Passwd:[masked],"),
    ("spring.datasource.password=pa$$=w,rd!", "spring.datasource.password=[masked]"),
    ("DB_PASS=hunter2", "DB_PASS=[masked]"),
    ("pwd=hunter2;Database=x", "pwd=[masked];Database=x"),
    ("Server=db;User Id=app;Password=a;b;Timeout=3", "Server=db;User Id=app;Password=[masked];Timeout=3"),
    (
        "{\"user\":\"app\",\"password\":\"hun\\\"ter2\",\"port\":1}",
        "{\"user\":\"app\",\"password\":\"[masked]\",\"port\":1}",
    ),
    ("\"{\\\"password\\\":\\\"hunter2\\\",\\\"port\\\":1}\"", "\"{\\\"password\\\":\\\"[masked]\\\",\\\"port\\\":1}\""),
    ("{'client_secret': 'abc', 'id': 1}", "{'client_secret': '[masked]', 'id': 1}"),
    ("Config { password: Some(\"hunter2\"), port: 1 }", "Config { password: Some(\"[masked]\"), port: 1 }"),
    ("secret => \"abc\"", "secret => \"[masked]\""),
    ("passphrase := abc", "passphrase := [masked]"),
    ("clientSecret=abc", "clientSecret=[masked]"),
    ("run --db-password hunter2 --port 1", "run --db-password [masked] --port 1"),
    ("run --token=abc --port 1", "run --token=[masked] --port 1"),
    ("<password>hunter2</password>", "<password>[masked]</password>"),
    ("api_key=abc", "api_key=[masked]"),
    ("x-api-key: 8f3a9b", "x-api-key: [masked]"),
    ("apikey: \"abc\"", "apikey: \"[masked]\""),
    ("Invalid API key: 8f3a9b", "Invalid API key: [masked]"),
    ("token: 8f3a9b", "token: [masked]"),
    ("GET /?user=a&access_token=abc&page=2", "GET /?user=a&access_token=[masked]&page=2"),
    ("(token=abc)", "(token=[masked])"),
    ("password=\"cut off here", "password=\"[masked]"),
    // Headers.
    ("Authorization: Bearer abc", "Authorization: Bearer [masked]"),
    ("authorization: Basic dXNlcjpwdw==", "authorization: Basic [masked]"),
    ("curl -H 'Authorization: Bearer abc' http://h/", "curl -H 'Authorization: Bearer [masked]' http://h/"),
    ("{\"Authorization\":\"Bearer abc\"}", "{\"Authorization\":\"Bearer [masked]\"}"),
    ("Authorization: 0123456789abcdef0123", "Authorization: [masked]"),
    ("Cookie: session=abc; theme=dark", "Cookie: [masked]"),
    ("sent Bearer 0123456789abcdef0123", "sent Bearer [masked]"),
    ("sent Basic dXNlcjpwdw==", "sent Basic [masked]"),
    // AWS.
    ("key AKIAIOSFODNN7EXAMPLE is used", "key [masked] is used"),
    ("ASIAIOSFODNN7EXAMPLE", "[masked]"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = [masked]"),
    ("\"SecretAccessKey\": \"wJalrXUtnFEMI/K7MDENG\"", "\"SecretAccessKey\": \"[masked]\""),
    ("X-Amz-Security-Token=FwoGZXIvYXdzEJr&X-Amz-Date=1", "X-Amz-Security-Token=[masked]&X-Amz-Date=1"),
    // URLs.
    ("postgres://app:hunter2@db:5432/app", "postgres://app:[masked]@db:5432/app"),
    ("redis://:hunter2@cache:6379", "redis://:[masked]@cache:6379"),
    ("connect to \"amqp://u:p@ss/word@mq/\" failed", "connect to \"amqp://u:[masked]@mq/\" failed"),
    ("mongodb://u:12345@h1:27017,h2:27017/x", "mongodb://u:[masked]@h1:27017,h2:27017/x"),
    ("DATABASE_URL=postgres://app:hunt", "DATABASE_URL=postgres://app:[masked]"),
    // Words that are secrets by their form.
    ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "got [masked]"),
    ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "[masked]"),
    ("slack xoxb-123456789012-abcdef", "slack [masked]"),
    // Private keys, also of which only a part is there.
    ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nready", "[masked]\nready"),
    ("k=-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----;", "k=[masked];"),
    ("before -----BEGIN EC PRIVATE KEY-----\nMIIE", "before [masked]"),
    ("MIIEpAIBAAKCAQEA\nMIIE+/==\n-----END PRIVATE KEY-----\nready", "[masked]\nready"),
];

/// What only speaks of secrets.
const READABLE: &[&str] = &[
    "FATAL: password authentication failed for user \"app\"",
    "Access denied for user 'root'@'10.0.0.1' (using password: YES)",
    "token expired",
    "invalid token: expired",
    "SyntaxError: Unexpected token: }",
    "Unexpected token < in JSON at position 0",
    "the secret \"db\" was not found",
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed",
    "AccessDeniedException: not authorized to perform secretsmanager:GetSecretValue on resource arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf",
    "DB_SECRET=arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf",
    "password=${DB_PASSWORD}",
    "password: null, token: \"\"",
    "has_token=false",
    "password=********",
    "max_tokens=4096",
    "password_file=/run/secrets/db",
    "PWD=/srv/app OLDPWD=/",
    "tests pass: 12, fail: 0",
    "bypass=on compass=north",
    "primary key: id",
    "private key: no such file",
    "Bearer authentication is required",
    "Basic authentication failed",
    "WWW-Authenticate: Bearer",
    "Authorization: required",
    "http://127.0.0.1:8080/healthz answers 503",
    "http://host:8080/a@b",
    "ssh://git@github.com/x/y",
    "https://login.example.com/?user=a@b.example",
    "listening on tcp://0.0.0.0:9000",
    "listening on http://[::]:8000",
    "mailto:a@b.example",
    "AKIA is a prefix, AKIAIOSFODNN7EXAMPLELONGER is no key",
    "eyJ is how a JWT begins",
    "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
    "std::env::VarError: secret::Key::token",
    "Token::Eof",
    "ünïcödé — nothing to hide",
    "",
];

#[test]
fn what_programs_print_of_their_secrets_is_masked_and_the_rest_of_the_line_stays() {
    let wrong: Vec<_> =
        SECRETS.iter().map(|(text, kept)| (*text, masked(text), *kept)).filter(|(_, got, kept)| got != kept).collect();
    assert!(wrong.is_empty(), "text, got, expected: {wrong:#?}");
}

#[test]
fn what_only_speaks_of_secrets_stays_readable() {
    let wrong: Vec<_> = READABLE.iter().map(|text| (*text, masked(text))).filter(|(text, got)| got != text).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_masked_stays_as_it_is_and_no_text_is_cut_within_a_character() {
    for (text, kept) in SECRETS {
        assert_eq!(masked(kept), *kept);
        // Text of other alphabets around and inside, cut off anywhere.
        let wide = format!("é{}ü", text.replace('2', "ß"));
        for (end, _) in wide.char_indices() {
            let once = masked(&wide[..end]);
            assert_eq!(masked(&once), once, "{:?}", &wide[..end]);
        }
    }
}

#[test]
fn a_private_key_is_masked_across_the_lines_that_it_was_logged_in() {
    let lines = |text: &[&str]| text.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    for (logged, kept) in [
        (
            &["starting", "-----BEGIN PRIVATE KEY-----", "MIIE", "-----END PRIVATE KEY-----", "token expired"][..],
            &["starting", "[masked]", "token expired"][..],
        ),
        (&["abc+", "MIIE==", "-----END RSA PRIVATE KEY-----", "ends"][..], &["[masked]", "ends"][..]),
        (&["password=", "hunter2"][..], &["password=", "hunter2"][..]),
        (&["cookie: a=b", "ends"][..], &["cookie: [masked]", "ends"][..]),
        (&[][..], &[][..]),
    ] {
        assert_eq!(masked_lines(&lines(logged)), lines(kept), "{logged:?}");
    }
}
