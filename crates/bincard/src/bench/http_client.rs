//! The lightest HTTP client there is: one kept-alive connection, one request at a time. A heavier one would take from
//! the cores that are measured.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cli::Failure;

/// A connection to a service.
pub(super) struct Connection {
    host: String,
    /// The header line of a token, or nothing.
    authorization: String,
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects to a host and port; a token is shown with every request.
    pub(super) async fn open(host: &str, token: Option<&str>) -> Result<Connection, Failure> {
        let stream = TcpStream::connect(host).await;
        let stream = stream.map_err(|error| Failure::usage(format!("HTTP at {host}: {error}")))?;
        stream.set_nodelay(true)?;
        let authorization =
            token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        Ok(Connection { host: host.to_owned(), authorization, stream, received: Vec::new() })
    }

    /// Posts JSON and waits for the body of the answer, whatever its status.
    pub(super) async fn post(&mut self, path: &str, id: Option<&str>, body: &[u8]) -> Result<&[u8], Failure> {
        let key = id.map(|id| format!("Idempotency-Key: {id}\r\n")).unwrap_or_default();
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n{}{key}Content-Length: {}\r\n\r\n",
            self.host,
            self.authorization,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request).await?;
        self.received.clear();
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(Failure::refused(format!("{} closed the connection", self.host)));
            }
            if let Some((head, length)) = head_of(&self.received)?
                && self.received.len() >= head + length
            {
                return Ok(&self.received[head..head + length]);
            }
        }
    }
}

/// Where the body begins and how long it is, once the head is whole.
fn head_of(received: &[u8]) -> Result<Option<(usize, usize)>, Failure> {
    let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let length = length.ok_or_else(|| Failure::refused("an HTTP answer did not say how long it is"))?;
    Ok(Some((end + 4, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        assert_eq!(head_of(b"HTTP/1.1 200 OK\r\nContent-Le").unwrap(), None);
        assert_eq!(head_of(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap(), Some((38, 2)));
        assert!(head_of(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
