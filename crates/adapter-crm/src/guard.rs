//! What may be reached.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use ports::crm::SourceError;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

use crate::address::is_public;

/// Resolves names.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All addresses of a host.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// Why a text is no list of hosts and ports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{entry:?} is not a host and a port, such as crm.internal:8080")]
pub struct AllowedHostsError {
    /// What cannot be read.
    pub entry: String,
}

/// `IMPORT_ALLOW_PRIVATE_HOSTS`: hosts with their ports that may have private addresses and speak
/// plain http.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(BTreeSet<(String, u16)>);

impl AllowedHosts {
    /// Reads `host:port` with commas between.
    ///
    /// # Errors
    /// The first entry that is none.
    pub fn parse(text: &str) -> Result<Self, AllowedHostsError> {
        let entries = text.split(',').map(str::trim).filter(|e| !e.is_empty());
        let read = |entry: &str| {
            // As the URL of a client will be read; ftp, because its default port is nobody's here.
            let url = Url::parse(&format!("ftp://{entry}")).ok()?;
            let bare = url.path() == "/" && url.username().is_empty() && url.query().is_none();
            let host = bare.then(|| url.host_str()).flatten()?;
            let port = entry.rsplit_once(':')?.1.parse().ok()?;
            Some((host.to_owned(), port))
        };
        entries
            .map(|entry| {
                read(entry).ok_or_else(|| AllowedHostsError {
                    entry: entry.to_owned(),
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn contains(&self, host: &str, port: u16) -> bool {
        self.0.contains(&(host.to_owned(), port))
    }
}

/// Whether a URL may be asked, and whether its host may have private addresses.
pub fn check(url: &Url, allowed: &AllowedHosts) -> Result<bool, SourceError> {
    let refused = |code| Err(SourceError::Refused { code });
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return refused("invalid_url");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refused("invalid_url");
    }
    if allowed.contains(host, port) {
        return Ok(true);
    }
    if url.scheme() != "https" {
        return refused("not_https");
    }
    if port != 443 {
        return refused("port_not_allowed");
    }
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    if literal
        .parse()
        .is_ok_and(|address: IpAddr| !is_public(address))
    {
        return refused("private_address");
    }
    Ok(false)
}

/// A name has no public address. Found again in the chain of a failed request's errors.
#[derive(Debug, thiserror::Error)]
#[error("the host has no public address")]
pub struct NoPublicAddress;

/// Resolves for connections: each connects to an address that was checked here, so that a name that
/// changes its address between check and connection gains nothing.
pub struct GuardedResolver {
    pub lookup: Arc<dyn Lookup>,
    pub private_too: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = Arc::clone(&self.lookup);
        let private_too = self.private_too;
        Box::pin(async move {
            let mut found = lookup.addresses(name.as_str()).await?;
            if !private_too {
                found.retain(|address| is_public(*address));
                if found.is_empty() {
                    return Err(NoPublicAddress.into());
                }
            }
            let sockets = found.into_iter().map(|address| SocketAddr::new(address, 0));
            let addresses: Addrs = Box::new(sockets);
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(url: &str, allowed: &str) -> Result<bool, &'static str> {
        let allowed = AllowedHosts::parse(allowed).unwrap();
        check(&Url::parse(url).unwrap(), &allowed).map_err(|error| error.code())
    }

    #[test]
    fn only_https_to_public_places_is_allowed_unless_listed() {
        assert_eq!(judge("https://crm.example/api", ""), Ok(false));
        assert_eq!(judge("https://8.8.8.8", ""), Ok(false));
        for (url, code) in [
            ("http://crm.example", "not_https"),
            ("https://crm.example:8443", "port_not_allowed"),
            ("https://10.0.0.1", "private_address"),
            ("https://127.1", "private_address"),
            ("https://2130706433", "private_address"),
            ("https://0x7f.1", "private_address"),
            ("https://[::1]", "private_address"),
            ("https://[::ffff:10.0.0.1]", "private_address"),
            ("https://me@crm.example", "invalid_url"),
        ] {
            assert_eq!(judge(url, "other.example:80"), Err(code), "{url}");
        }
        let listed = " 127.0.0.1:8080, [::1]:9090 ,CRM.internal:80 ";
        for url in [
            "http://127.0.0.1:8080/api",
            "https://[::1]:9090",
            "http://crm.internal",
        ] {
            assert_eq!(judge(url, listed), Ok(true), "{url}");
        }
        assert_eq!(judge("http://127.0.0.1:8081", listed), Err("not_https"));
    }

    #[test]
    fn a_list_with_a_typo_is_refused() {
        for bad in [
            "crm.internal",
            "crm.internal:",
            "http://a:80",
            "a:80/b",
            "a:99999",
            "a@b:80",
        ] {
            assert!(AllowedHosts::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(AllowedHosts::parse(" , "), Ok(AllowedHosts::default()));
    }

    /// Answers the next of its lists each time, as a name server that wants to rebind does.
    struct Rebinding(std::sync::Mutex<Vec<Vec<IpAddr>>>);

    #[async_trait]
    impl Lookup for Rebinding {
        async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.lock().unwrap().remove(0))
        }
    }

    #[tokio::test]
    async fn connections_get_public_addresses_only_however_the_name_turns() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let (public, private) = (address("8.8.8.8"), address("10.0.0.1"));
        let answers = vec![
            vec![public],
            vec![private],
            vec![private, public],
            vec![private],
        ];
        let lookup = Arc::new(Rebinding(std::sync::Mutex::new(answers)));
        let resolve = async |private_too| {
            let resolver = GuardedResolver {
                lookup: Arc::clone(&lookup) as _,
                private_too,
            };
            let found = resolver.resolve("crm.example".parse().unwrap()).await;
            found.map(|found| found.map(|socket| socket.ip()).collect::<Vec<_>>())
        };
        assert_eq!(resolve(false).await.unwrap(), [public]);
        assert!(resolve(false).await.unwrap_err().is::<NoPublicAddress>());
        assert_eq!(resolve(false).await.unwrap(), [public]);
        assert_eq!(resolve(true).await.unwrap(), [private], "a listed host");
    }
}
