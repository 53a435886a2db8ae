//! An answer, signed by who gives it and checked by who asked.

use std::fmt;
use std::io::Cursor;

use tiny_http::Response;

use super::profile::{
    DIGEST_HEADER, INPUT_HEADER, SIGNATURE_HEADER, Signed, answer_base, answer_parameters,
    key_of_answer, labelled,
};
use super::request::SignedRequest;
use super::{Secret, WINDOW_S, mac};
use crate::http_server::{Answer, with_header};
use crate::quoted::quoted;

/// Signs an answer with the secret of its request. `request_signature` is the value
/// of the `Signature` header there.
pub(super) fn sign(
    secret: &Secret,
    request_signature: &str,
    answer: Answer,
    created_s: u64,
) -> Answer {
    let (status, headers) = (answer.status_code(), answer.headers().to_vec());
    let body = answer.into_reader().into_inner();
    let digest = mac::content_digest(&body);
    let parameters = answer_parameters(created_s, secret.id());
    let base = answer_base(status.0, &digest, request_signature, &parameters);
    let signature = labelled(&mac::sign(secret.key(), &base));
    let length = body.len();
    let answer = Response::new(status, headers, Cursor::new(body), Some(length), None);
    let answer = with_header(answer, DIGEST_HEADER, &digest);
    let answer = with_header(answer, INPUT_HEADER, &labelled(&parameters));
    with_header(answer, SIGNATURE_HEADER, &signature)
}

/// Why an answer is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerFault {
    /// It has no signature of our form. Its status is here.
    Unsigned(u16),
    /// It was signed with another secret than its request.
    OtherSecret(String),
    /// It was not signed with the secret of its request, or belongs to another
    /// request, or was changed.
    WrongSignature,
    /// The signature is right, and the body is not the one that was signed.
    WrongBody,
}

impl std::error::Error for AnswerFault {}

impl fmt::Display for AnswerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is not taken: ")?;
        match self {
            Self::Unsigned(401) => write!(
                f,
                "it is 401 and not signed, so either the secrets differ or the clocks, by more \
                 than {WINDOW_S} s; the log of the other side tells which"
            ),
            Self::Unsigned(status @ (408 | 503)) => write!(
                f,
                "it is {status} and not signed: the gate of the other side, or a proxy before it, \
                 is overloaded, or what was sent came too slowly; it is asked again"
            ),
            Self::Unsigned(status @ (413 | 431)) => write!(
                f,
                "it is {status} and not signed: for the gate of the other side, or a proxy before \
                 it, the request is too long; see max_body_bytes there, and max_batch_bytes here"
            ),
            Self::Unsigned(status) => write!(
                f,
                "it is {status} and not signed; the other side wants a secret_file with our \
                 secret, and a version of Pattoo that has it"
            ),
            Self::OtherSecret(id) => {
                write!(f, "it is signed with another secret, {}, than its request", quoted(id))
            }
            Self::WrongSignature => f.write_str(
                "its signature is wrong: it is of another secret, answers another request, or \
                 was changed on its way",
            ),
            Self::WrongBody => f.write_str("its body was changed on its way"),
        }
    }
}

impl SignedRequest<'_> {
    /// Whether this is the answer to this request, signed with its secret.
    pub fn check_answer(
        &self,
        status: u16,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<(), AnswerFault> {
        let signed = Signed::of(headers).ok_or(AnswerFault::Unsigned(status))?;
        let id = key_of_answer(signed.parameters).ok_or(AnswerFault::Unsigned(status))?;
        if id != self.secret.id() {
            return Err(AnswerFault::OtherSecret(id.to_owned()));
        }
        let base = answer_base(status, signed.digest, &self.signature, signed.parameters);
        if !mac::is_right(self.secret.key(), &base, signed.mac) {
            return Err(AnswerFault::WrongSignature);
        }
        if mac::content_digest(body) != signed.digest {
            return Err(AnswerFault::WrongBody);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsigned_answer_of_the_gate_does_not_send_people_after_the_secret() {
        let text = |status| AnswerFault::Unsigned(status).to_string();
        for status in [408, 413, 431, 503] {
            let told = format!("it is {status} and not signed: ");
            assert!(text(status).contains(&told) && text(status).contains("a proxy before it"));
            assert!(!text(status).contains("secret"), "{}", text(status));
        }
        assert!(text(503).contains("overloaded") && text(413).contains("too long"));
        assert!(text(401).contains("secrets differ") && text(200).contains("wants a secret_file"));
    }
}
