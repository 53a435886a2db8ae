//! A request, signed by who asks and checked by who answers.

use std::fmt;

use super::profile::{
    DIGEST_HEADER, INPUT_HEADER, RequestParameters, SIGNATURE_HEADER, Signed, labelled,
    request_base, request_parameters,
};
use super::{Secret, Secrets, WINDOW_S, mac, nonce};
use crate::http_server::Request;
use crate::quoted::quoted;
use crate::wall_clock::now_ms;

/// What a signed request carries, and what its answer is checked by.
#[derive(Debug)]
pub struct SignedRequest<'s> {
    pub(super) secret: &'s Secret,
    /// The value of its `Signature` header.
    pub(super) signature: String,
    header_lines: String,
}

impl Secrets {
    /// Signs a request with the first secret. `target` is the path and the query
    /// as they stand in the request.
    pub fn sign_request(&self, method: &str, target: &str, body: &[u8]) -> SignedRequest<'_> {
        self.sign_request_of(now_ms() / 1_000, method, target, body)
    }

    /// [`Secrets::sign_request`] as if it were another time, for tests: seconds
    /// since 1970.
    pub fn sign_request_of(
        &self,
        created_s: u64,
        method: &str,
        target: &str,
        body: &[u8],
    ) -> SignedRequest<'_> {
        let secret = self.first();
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let digest = mac::content_digest(body);
        let parameters =
            RequestParameters { created_s, key_id: secret.id(), nonce: nonce::next() }.text();
        let base = request_base(method, path, query, &digest, &parameters);
        let signature = labelled(&mac::sign(secret.key(), &base));
        let header_lines = format!(
            "{DIGEST_HEADER}: {digest}\r\n{INPUT_HEADER}: {}\r\n{SIGNATURE_HEADER}: {signature}\r\n",
            labelled(&parameters)
        );
        SignedRequest { secret, signature, header_lines }
    }
}

impl SignedRequest<'_> {
    /// The headers of the request, each ended by CR and LF.
    pub fn header_lines(&self) -> &str {
        &self.header_lines
    }
}

/// A request that was signed with one of our secrets, by a clock near ours, and
/// came as it was signed; after [`check_head`] all but its body did. It may have
/// come before.
#[derive(Debug)]
pub(super) struct Checked<'s, 'r> {
    pub(super) secret: &'s Secret,
    /// The value of its `Signature` header.
    pub(super) signature: &'r str,
    pub(super) created_s: u64,
    pub(super) nonce: u128,
    /// The digest of its body, as it was signed.
    digest: &'r str,
}

/// Why a request is not taken. Only the log is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RequestFault {
    /// It has no signature of our form.
    Unsigned,
    /// It names a secret that we do not have.
    UnknownSecret(String),
    /// It was not signed with the secret that it names, or was changed.
    WrongSignature(String),
    /// The signature is right, and was made by a clock so many seconds ahead of
    /// ours, or behind it if that is negative.
    WrongClock { id: String, ahead_s: i64 },
    /// The signature is right, and the body is not the one that was signed.
    WrongBody(String),
}

impl fmt::Display for RequestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned => f.write_str("not signed in the form of pattoo"),
            Self::UnknownSecret(id) => {
                write!(
                    f,
                    "wrong secret: signed with {}, which is not in our secret_file",
                    quoted(id)
                )
            }
            Self::WrongSignature(id) => write!(
                f,
                "wrong secret: not signed with the {id:?} of our secret_file, or changed on its way"
            ),
            Self::WrongClock { id, ahead_s } => {
                let side = if *ahead_s < 0 { "behind" } else { "ahead of" };
                let off_s = ahead_s.unsigned_abs();
                write!(
                    f,
                    "wrong clock: rightly signed with {id:?}, {off_s} s {side} our clock, \
                     {WINDOW_S} s are granted; set the clock that is wrong (or somebody sends \
                     an old request again)"
                )
            }
            Self::WrongBody(id) => {
                write!(f, "changed on its way: rightly signed with {id:?}, for another body")
            }
        }
    }
}

/// Checks all of a request but whether it came before. The body, which may be
/// large, is looked at last.
pub(super) fn check<'s, 'r>(
    secrets: &'s Secrets,
    request: &'r Request,
    now_s: u64,
) -> Result<Checked<'s, 'r>, RequestFault> {
    let checked = check_head(secrets, request, now_s)?;
    if mac::content_digest(&request.body) != checked.digest {
        return Err(RequestFault::WrongBody(checked.secret.id().to_owned()));
    }
    Ok(checked)
}

/// Checks what can be checked before the body is there.
pub(super) fn check_head<'s, 'r>(
    secrets: &'s Secrets,
    request: &'r Request,
    now_s: u64,
) -> Result<Checked<'s, 'r>, RequestFault> {
    let signed = Signed::of(&request.headers).ok_or(RequestFault::Unsigned)?;
    let RequestParameters { created_s, key_id, nonce } =
        request_parameters(signed.parameters).ok_or(RequestFault::Unsigned)?;
    let id = || key_id.to_owned();
    let secret = secrets.of(key_id).ok_or_else(|| RequestFault::UnknownSecret(id()))?;
    let base = request_base(
        request.method.as_str(),
        &request.path,
        request.query.as_deref(),
        signed.digest,
        signed.parameters,
    );
    if !mac::is_right(secret.key(), &base, signed.mac) {
        return Err(RequestFault::WrongSignature(id()));
    }
    if created_s.abs_diff(now_s) > WINDOW_S {
        let ahead_s = created_s.cast_signed().saturating_sub(now_s.cast_signed());
        return Err(RequestFault::WrongClock { id: id(), ahead_s });
    }
    Ok(Checked { secret, signature: signed.signature, created_s, nonce, digest: signed.digest })
}
