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
            Self::Unsigned(status) => write!(
                f,
                "it is {status} and not signed; the other side wants a secret_file with our \
                 secret, and a version of Pattoo that has it"
            ),
            Self::OtherSecret(id) => {
                write!(f, "it is signed with another secret, {id:.80?}, than its request")
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
