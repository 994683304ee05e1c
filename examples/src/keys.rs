//! Files with secrets: the keys by which clients are known again when the server has started again, and what it shares
//! with a TURN server.

use std::{fmt, fs, io, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

/// Shorter ones could be guessed.
const LEAST_KEY: usize = 32;

/// What is in such a file: a key in each line, the first one signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) keys: Vec<String>,
    /// Whether it has been made right now, so that nobody has a token signed by it.
    pub(crate) is_new: bool,
}

impl Keys {
    /// Reads a file, or makes one that only its owner can read.
    pub(crate) fn read_or_make(path: &str) -> Result<Self, String> {
        let path = Path::new(path);
        let read = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = fresh_key();
                make(path, &key).map(|()| Self { keys: vec![key], is_new: true })
            }
            text => text.map(|text| Self::from_text(&text)),
        };
        match read {
            Ok(Self { keys, .. }) if keys.is_empty() => Err("there is no key in it".to_owned()),
            Ok(Self { keys, .. }) if keys.iter().any(|key| key.len() < LEAST_KEY) => {
                Err(format!("a key in it has fewer than {LEAST_KEY} characters"))
            }
            read => read.map_err(|error| error.to_string()),
        }
    }

    /// The keys for one system, so that what one has signed is nothing to the others.
    pub(crate) fn of(&self, system: &str) -> impl Iterator<Item = Vec<u8>> {
        self.keys.iter().map(move |key| format!("{key} {system}").into_bytes())
    }

    fn from_text(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        Self { keys: lines.map(ToOwned::to_owned).collect(), is_new: false }
    }
}

/// What is shared with a TURN server, or with whoever looks after this one. Nothing prints it.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl Secret {
    /// Reads a file that contains nothing else.
    pub(crate) fn read(path: &str) -> Result<Self, String> {
        Self::from_text(&fs::read_to_string(path).map_err(|error| error.to_string())?)
    }

    /// Takes the text of an environment variable.
    pub(crate) fn from_text(text: &str) -> Result<Self, String> {
        let secret = text.trim();
        if secret.is_empty() || secret.lines().count() > 1 {
            return Err("one line with the secret must be in it".to_owned());
        }
        Ok(Self(secret.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }
}

/// 256 random bits in 64 characters.
fn fresh_key() -> String {
    let mut bits = [0; 32];
    getrandom::fill(&mut bits).expect("the operating system provides random numbers");
    bits.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn make(path: &Path, key: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{key}")
}

#[cfg(test)]
mod tests {
    use std::{env, os::unix::fs::PermissionsExt, process};

    use super::*;

    #[test]
    fn a_file_is_made_once_and_read_from_then_on() {
        let path = env::temp_dir().join(format!("signal-keys-{}", process::id()));
        let text = path.to_str().unwrap();
        let made = Keys::read_or_make(text).unwrap();
        let read = Keys::read_or_make(text).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        fs::write(&path, "\n").unwrap();
        let empty = Keys::read_or_make(text);
        fs::write(&path, format!("{}\nshort", made.keys[0])).unwrap();
        let short = Keys::read_or_make(text);
        fs::remove_file(&path).unwrap();
        assert!(made.is_new && !read.is_new);
        assert_eq!((made.keys.len(), made.keys[0].len()), (1, 64));
        assert_eq!(made.keys, read.keys);
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(empty, Err("there is no key in it".to_owned()));
        assert_eq!(short, Err("a key in it has fewer than 32 characters".to_owned()));
    }

    #[test]
    fn systems_do_not_share_keys() {
        let keys = Keys::from_text("new\n\n old \n");
        assert_eq!(keys.of("two").collect::<Vec<_>>(), [b"new two", b"old two"]);
    }
}
