//! A bucket that speaks S3, as far as an archive does: in memory, it takes what is signed with its key and nothing else.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use ring::{digest, hmac};

const KEY: &str = "key";
const SECRET: &str = "a secret";

/// Objects by path, and how often each was put.
type Objects = BTreeMap<String, (Vec<u8>, u32)>;

/// The bucket; it is served as long as the test runs.
#[derive(Clone, Default)]
pub(crate) struct Bucket {
    /// What is in it.
    pub(crate) objects: Arc<Mutex<Objects>>,
    endpoint: String,
}

struct Asked {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Bucket {
    /// Serves an empty one on a free port.
    pub(crate) fn serve() -> Bucket {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let bucket = Bucket { endpoint, ..Bucket::default() };
        let serving = bucket.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let bucket = serving.clone();
                std::thread::spawn(move || bucket.answer_all(stream.unwrap()));
            }
        });
        bucket
    }

    /// Gives a command the bucket's address and keys.
    pub(crate) fn keys(&self, command: &mut Command) {
        s3_environment(command, &self.endpoint, KEY, SECRET);
    }

    /// The same with a secret that is not the bucket's.
    pub(crate) fn wrong_keys(&self, command: &mut Command) {
        s3_environment(command, &self.endpoint, KEY, "another secret");
    }

    fn answer_all(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(asked) = Asked::read(&mut reader) {
            let (status, body) = if asked.is_signed() { self.answer(asked) } else { denied() };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nLast-Modified: Wed, 25 Nov 2026 12:00:00 GMT\r\nETag: \"e\"\r\n\r\n",
                body.len()
            );
            if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).is_err() {
                return;
            }
        }
    }

    fn answer(&self, asked: Asked) -> (&'static str, Vec<u8>) {
        let mut objects = self.objects.lock().unwrap();
        match asked.method.as_str() {
            "PUT" => {
                let object = objects.entry(asked.path).or_default();
                *object = (asked.body, object.1 + 1);
                ("200 OK", Vec::new())
            }
            "GET" if asked.query.contains("list-type=2") => ("200 OK", list(&objects, &asked)),
            "GET" => match objects.get(&asked.path) {
                Some((body, _)) => ("200 OK", body.clone()),
                None => ("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
            },
            _ => ("405 Method Not Allowed", Vec::new()),
        }
    }
}

/// Gives a command the address and keys of a store that speaks S3.
pub(crate) fn s3_environment(command: &mut Command, endpoint: &str, key: &str, secret: &str) {
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .env("AWS_REGION", "eu-north-1")
        .env("AWS_ALLOW_HTTP", "true")
        .env_remove("AWS_SESSION_TOKEN");
}

fn denied() -> (&'static str, Vec<u8>) {
    ("403 Forbidden", b"<Error><Code>SignatureDoesNotMatch</Code></Error>".to_vec())
}

fn list(objects: &Objects, asked: &Asked) -> Vec<u8> {
    let prefix = asked.query.split('&').find_map(|pair| pair.strip_prefix("prefix=")).unwrap_or_default();
    let within = format!("{}/{}", asked.path, prefix.replace("%2F", "/"));
    let mut xml = "<ListBucketResult><IsTruncated>false</IsTruncated>".to_owned();
    for (path, (body, _)) in objects.iter().filter(|(path, _)| path.starts_with(&within)) {
        let key = path.trim_start_matches(&format!("{}/", asked.path));
        write!(
            xml,
            "<Contents><Key>{key}</Key><LastModified>2026-11-25T12:00:00.000Z</LastModified><ETag>e</ETag><Size>{}</Size>\
             </Contents>",
            body.len()
        )
        .unwrap();
    }
    (xml + "</ListBucketResult>").into_bytes()
}

impl Asked {
    fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (path, query) = (path.to_owned(), query.to_owned());
        let mut headers = BTreeMap::new();
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let Some((name, value)) = header.split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Asked { method, path, query, headers, body })
    }

    /// AWS Signature Version 4, computed again from what arrived.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
    fn is_signed(&self) -> bool {
        let Some(authorization) = self.headers.get("authorization") else { return false };
        let part = |name: &str| {
            authorization
                .split([' ', ','])
                .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
                .unwrap_or_default()
        };
        let scope = part("Credential").strip_prefix(&format!("{KEY}/")).unwrap_or_default();
        let signed = part("SignedHeaders");
        let headers: String =
            signed.split(';').map(|name| format!("{name}:{}\n", self.headers.get(name).unwrap())).collect();
        let mut query: Vec<&str> = self.query.split('&').filter(|pair| !pair.is_empty()).collect();
        query.sort_unstable();
        let hash = &self.headers["x-amz-content-sha256"];
        let request = [&self.method, &self.path, &query.join("&"), &headers, signed, hash]
            .map(ToString::to_string)
            .join("\n");
        let to_sign =
            ["AWS4-HMAC-SHA256", &self.headers["x-amz-date"], scope, &sha256(request.as_bytes())].join("\n");
        let key = scope.split('/').fold(format!("AWS4{SECRET}").into_bytes(), |key, part| mac(&key, part));
        *hash == sha256(&self.body) && part("Signature") == hex(&mac(&key, &to_sign))
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
