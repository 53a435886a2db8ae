//! Times and spans in milliseconds. `Int` ends at 2^31, and `Float` takes no
//! literal past that without a point.

use juniper::{GraphQLScalar, ParseScalarResult, Scalar, ScalarToken, ScalarValue};

/// Whole numbers up to this are exact in JSON as most read it.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Milliseconds, a whole number that is not negative; as a time, Unix time in
/// milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, GraphQLScalar)]
#[graphql(with = self::scalar)]
pub(super) struct Milliseconds(pub(super) u64);

mod scalar {
    use super::{EXACT, Milliseconds, ParseScalarResult, Scalar, ScalarToken, ScalarValue};

    pub(super) fn to_output<S: ScalarValue>(milliseconds: &Milliseconds) -> S {
        S::from(milliseconds.0 as f64)
    }

    pub(super) fn from_input<S: ScalarValue>(value: &Scalar<S>) -> Result<Milliseconds, String> {
        let number = value.try_to_float().or_else(|| value.try_to_int().map(f64::from));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 2^53"
        )]
        match number {
            Some(number) if (0.0..=EXACT).contains(&number) => Ok(Milliseconds(number as u64)),
            _ => Err("milliseconds are wanted: a number that is not below 0".to_owned()),
        }
    }

    pub(super) fn parse_token<S: ScalarValue>(token: ScalarToken<'_>) -> ParseScalarResult<S> {
        match token {
            ScalarToken::Int(text) | ScalarToken::Float(text) => match text.parse::<f64>() {
                Ok(number) => Ok(number.into()),
                Err(_) => <f64 as juniper::ParseScalarValue<S>>::from_str(token),
            },
            ScalarToken::String(_) => <f64 as juniper::ParseScalarValue<S>>::from_str(token),
        }
    }
}
