//! Who asks, and what: HTTP Message Signatures (RFC 9421) in one fixed profile.
//!
//! Requests and answers between spoke, hub and server carry a `Content-Digest`
//! (RFC 9530, sha-256) and one signature by hmac-sha256 over a shared secret:
//!
//! ```text
//! Signature-Input: pattoo=("@method" "@path" "@query" "content-digest");created=1796000000;
//!                  keyid="site1";nonce="000102030405060708090a0b0c0d0e0f";alg="hmac-sha256"
//! Signature-Input: pattoo=("@status" "content-digest" "signature";req);created=1796000000;
//!                  keyid="site1";alg="hmac-sha256"
//! ```
//!
//! each on one line. Components, parameters and their order are these and no
//! others, so nothing is negotiated and little is parsed. An answer is bound to its
//! request by that request's signature, which no other has, for it covers a nonce.
//! `docs/secrecy.md` tells what this proves and what it does not.
//!
//! | file | concept |
//! |---|---|
//! | `secrets` | the file with the secrets |
//! | `live` | the secrets of a program that runs |
//! | `mac` | hmac-sha256, the digest, base64 |
//! | `profile` | what is signed, as text, and back |
//! | `nonce` | a number used once |
//! | `request` | a request, signed and checked |
//! | `answer` | an answer, signed and checked |
//! | `replay` | what came before |
//! | `guard` | the door of a program that answers |

mod answer;
#[cfg(fuzzing)]
pub mod fuzzing;
mod guard;
mod live;
mod mac;
mod nonce;
mod profile;
mod replay;
mod request;
mod secrets;

pub use answer::AnswerFault;
pub use guard::{Guard, NONCES_OF_SERVER, NONCES_OF_SPOKE};
pub use live::LiveSecrets;
pub use request::SignedRequest;
pub use secrets::{MAX_FILE_BYTES, MAX_SECRETS, MIN_SECRET_BYTES, Secret, Secrets};

/// How far, in seconds, the clock of whoever asks may be from ours, and so how
/// long a request could be repeated by one who has seen it, if it were not
/// remembered.
pub const WINDOW_S: u64 = 300;
