//! Real calls to extenders of the scheduler, over HTTP on this machine.
//!
//! The only place where a run meets the world outside: what comes back is not ours to vouch for, and the time that a
//! call takes here has no part in the run. Errors have the words of Go's client, since upstream shows them.

use std::io::ErrorKind;
use std::time::Duration;

use base::Span;
use scheduler::extender::{Transport, TransportError, check_address};
use ureq::http::header::CONTENT_TYPE;
use ureq::{Agent, Error};

/// More than the nodes of any cluster that Kubernetes supports, written out.
const ANSWER_MAX_BYTES: u64 = 64 << 20;

/// Calls who listens on a loopback address, and nobody else: neither by a proxy nor by a redirect.
#[derive(Debug)]
pub(crate) struct Loopback {
    agent: Agent,
}

impl Loopback {
    pub(crate) fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .build();
        Self { agent: config.new_agent() }
    }
}

impl Transport for Loopback {
    fn call(&self, url: &str, body: &str, timeout: Span) -> Result<String, TransportError> {
        check_address(url).map_err(|error| TransportError::Unreachable(error.to_string()))?;
        let timeout = Duration::from_nanos(timeout.nanos());
        let request = self.agent.post(url).config().timeout_global(Some(timeout)).build();
        let answer = request.header(CONTENT_TYPE, "application/json").send(body);
        let mut answer = answer.map_err(|error| unreachable(url, &error))?;
        if answer.status() != 200 {
            return Err(TransportError::Status(answer.status().as_u16()));
        }
        let bytes = answer.body_mut().with_config().limit(ANSWER_MAX_BYTES).read_to_vec();
        let bytes = bytes.map_err(|error| broken_off(&error))?;
        Ok(String::from_utf8(bytes).unwrap_or_else(|it| String::from_utf8_lossy(it.as_bytes()).into_owned()))
    }
}

/// There is no answer.
fn unreachable(url: &str, error: &Error) -> TransportError {
    let address = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
    if matches!(error, Error::Timeout(_)) {
        return TransportError::TimedOut;
    }
    let text = match kind_of(error) {
        Some(ErrorKind::ConnectionRefused) => format!("dial tcp {address}: connect: connection refused"),
        Some(ErrorKind::ConnectionReset) => format!("read tcp {address}: read: connection reset by peer"),
        Some(ErrorKind::UnexpectedEof) => "EOF".to_owned(),
        Some(_) | None => error.to_string(),
    };
    TransportError::Unreachable(text)
}

/// The answer has begun, and does not end well.
fn broken_off(error: &Error) -> TransportError {
    if matches!(error, Error::Timeout(_)) {
        return TransportError::BodyTimedOut;
    }
    let has_ended = kind_of(error) == Some(ErrorKind::UnexpectedEof);
    TransportError::Body(if has_ended { "unexpected EOF".to_owned() } else { error.to_string() })
}

fn kind_of(error: &Error) -> Option<ErrorKind> {
    if let Error::Io(error) = error { Some(error.kind()) } else { None }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a real server needs a thread and a clock"
)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread;
    use std::time::Instant;

    use expect_test::expect;

    use super::*;

    /// Calls a server that does `serve` to one connection. The port is left out of what comes of it.
    fn call(serve: impl FnOnce(TcpStream) + Send + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound").to_string();
        let server = thread::spawn(move || serve(listener.accept().expect("someone calls").0));
        let answer =
            Loopback::new().call(&format!("http://{address}/filter"), "{\"a\": 1}", Span::millis(300));
        server.join().expect("the server is well");
        told(answer).replace(&address, "ADDRESS")
    }

    fn told(answer: Result<String, TransportError>) -> String {
        match answer {
            Ok(answer) => format!("{} bytes: {:.40}\n", answer.len(), answer),
            Err(error) => format!("{error:?}\n"),
        }
    }

    fn read_request(stream: &mut TcpStream) -> String {
        let mut request = String::new();
        let mut buffer = [0; 4096];
        while !request.ends_with("{\"a\": 1}") {
            let count = stream.read(&mut buffer).expect("the request comes");
            request.push_str(std::str::from_utf8(&buffer[..count]).expect("it is text"));
        }
        request
    }

    /// Answers so much, and hangs up.
    fn saying(answer: &'static str) -> impl FnOnce(TcpStream) {
        move |mut stream| {
            read_request(&mut stream);
            stream.write_all(answer.as_bytes()).expect("the caller listens");
        }
    }

    #[test]
    fn what_is_answered_is_handed_on_and_what_is_not_is_told_in_the_words_of_go() {
        let told = [
            call(saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")),
            call(saying("HTTP/1.1 200 OK\r\n\r\n{\"until\": \"the end\"}")),
            call(saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")),
            call(saying("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")),
            call(saying("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")),
            call(saying("HTTP/1.1 307 There\r\nLocation: http://example.com/\r\nContent-Length: 0\r\n\r\n")),
            call(saying("rubbish\r\n\r\n")),
            call(saying("")),
        ];
        expect![[r#"
            2 bytes: {}
            20 bytes: {"until": "the end"}
            2 bytes: {}
            Body("unexpected EOF")
            Status(500)
            Status(307)
            Unreachable("protocol: http parse fail: invalid HTTP version")
            Unreachable("EOF")
        "#]]
        .assert_eq(&told.concat());
    }

    #[test]
    fn nobody_waits_for_longer_than_was_said() {
        let silent = |mut stream: TcpStream| {
            read_request(&mut stream);
            thread::sleep(Duration::from_millis(900));
        };
        let slow = |mut stream: TcpStream| {
            read_request(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{").expect("the caller listens");
            thread::sleep(Duration::from_millis(900));
        };
        let told = [call(silent), call(slow)];
        expect![[r#"
            TimedOut
            BodyTimedOut
        "#]]
        .assert_eq(&told.concat());
        let began = Instant::now();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
        assert_eq!(Loopback::new().call(&url, "{}", Span::millis(100)), Err(TransportError::TimedOut));
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn an_answer_without_end_is_given_up() {
        let endless = |mut stream: TcpStream| {
            read_request(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").expect("the caller listens");
            let block = [b' '; 1 << 16];
            while stream.write_all(&block).is_ok() {}
        };
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
        let server = thread::spawn(move || endless(listener.accept().expect("someone calls").0));
        let answer = Loopback::new().call(&url, "{\"a\": 1}", Span::mins(1));
        server.join().expect("the server is well");
        expect![[r#"
            Body("the response body is larger than request limit: 67108864")
        "#]]
        .assert_eq(&told(answer));
    }

    #[test]
    fn only_this_machine_is_called_and_someone_must_listen() {
        let closed = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port is free");
        let told = ["http://192.0.2.1/filter".to_owned(), format!("http://{closed}/filter")]
            .map(|url| told(Loopback::new().call(&url, "{}", Span::secs(1))))
            .concat();
        expect![[r#"
            Unreachable("`192.0.2.1` is not on this machine; extenders are called on loopback only, as `http://127.0.0.1:8888` or `http://localhost:8888`")
            Unreachable("dial tcp ADDRESS: connect: connection refused")
        "#]].assert_eq(&told.replace(&closed.to_string(), "ADDRESS"));
    }
}
