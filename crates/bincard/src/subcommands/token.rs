//! `bincard token`: keys and tokens for set-ups without an identity provider.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use command_api::auth::{KeyPair, Token};

use crate::cli::{Failure, TokenCommand, exit};

/// Makes what is asked for.
pub(super) fn run(command: TokenCommand) -> Result<u8, Failure> {
    match command {
        TokenCommand::Keygen { key } => keygen(&key),
        TokenCommand::Issue { key, sub, roles, ttl, issuer, audience } => {
            let valid = duration(&ttl).ok_or_else(|| {
                Failure::usage(format!("--ttl: wanted a number and s, m, h or d (8h), found {ttl:?}"))
            })?;
            let token =
                Token { iss: issuer, aud: audience, ..Token::new(sub, &roles, SystemTime::now(), valid) };
            let pem = std::fs::read(&key)
                .map_err(|error| Failure::usage(format!("--key {}: {error}", key.display())))?;
            let signed = token.signed(&pem);
            let signed = signed.map_err(|why| Failure::usage(format!("--key {}: {why}", key.display())))?;
            writeln!(io::stdout().lock(), "{signed}")?;
            Ok(exit::DONE)
        }
    }
}

fn keygen(key: &Path) -> Result<u8, Failure> {
    let pair = KeyPair::generate()
        .ok_or_else(|| Failure::refused("the operating system gave no randomness; try again"))?;
    let public = PathBuf::from(format!("{}.pub", key.display()));
    // Nobody else may read the private one, not even for a moment.
    for (path, pem, mode) in [(key, &pair.private_pem, 0o600), (&public, &pair.public_pem, 0o644)] {
        let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
        opened
            .and_then(|mut file| file.write_all(pem.as_bytes()))
            .map_err(|error| Failure::usage(format!("{}: {error}; choose another name", path.display())))?;
    }
    let (key, public) = (key.display(), public.display());
    writeln!(
        io::stdout().lock(),
        "{key} signs tokens: keep it secret\n{public} checks them: serve --auth-key {public}"
    )?;
    Ok(exit::DONE)
}

fn duration(text: &str) -> Option<Duration> {
    let number = text.strip_suffix(['s', 'm', 'h', 'd'])?;
    let seconds = match text.as_bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3600,
        _ => 86_400,
    };
    number.parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_its_unit() {
        for (text, seconds) in
            [("90s", Some(90)), ("5m", Some(300)), ("8h", Some(28_800)), ("2d", Some(172_800))]
        {
            assert_eq!(duration(text), seconds.map(Duration::from_secs));
        }
        for text in ["", "8", "h", "-1h", "8 h", "99999999999999999999d", "1w"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
