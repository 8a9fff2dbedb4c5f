//! What is generated from the program's own tables: schemas, shell completions, man pages.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::{Cli, Failure, exit};

/// Writes the schemas of every command, event and view, and the OpenAPI and AsyncAPI documents.
pub(super) fn schemas(out: &Path) -> Result<u8, Failure> {
    let documents = command_api::describe::documents();
    for (path, document) in &documents {
        let file = out.join(path);
        let text = format!("{document:#}\n");
        let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
        folder.and_then(|()| fs::write(&file, text)).map_err(|error| failure(&file, &error))?;
    }
    eprintln!("{} documents in {}", documents.len(), out.display());
    Ok(exit::DONE)
}

/// Prints completions for a shell.
pub(super) fn completions(shell: Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "bincard", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(exit::DONE)
}

/// Writes a man page for the program and each of its commands.
pub(super) fn man(out: &Path) -> Result<u8, Failure> {
    fs::create_dir_all(out)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), out))
        .map_err(|error| failure(out, &error))?;
    eprintln!("man pages in {}", out.display());
    Ok(exit::DONE)
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{}: {error}", path.display()))
}
