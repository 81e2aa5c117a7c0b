//! What guards a credential beside its scopes and its expiry: from where and how often it may be used.

use std::fmt;

use crate::AllowList;

/// What guards a credential. Without any, it may be used from anywhere and as often as anybody likes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guards {
    /// From where it may be used; none for anywhere.
    pub allow_list: Option<AllowList>,
    /// How often it may be used; none for no limit.
    pub request_limit: Option<RequestLimit>,
}

impl Guards {
    /// No guards.
    pub const NONE: Self = Self { allow_list: None, request_limit: None };

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.allow_list.is_none() && self.request_limit.is_none()
    }

    /// Whether these let nothing through that others would not.
    pub fn are_within(&self, others: &Self) -> bool {
        let is_from_within = match (&self.allow_list, &others.allow_list) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(ours), Some(theirs)) => theirs.covers(ours),
        };
        let is_no_more = match (self.request_limit, others.request_limit) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(ours), Some(theirs)) => ours.is_within(theirs),
        };
        is_from_within && is_no_more
    }
}

/// So many requests in so many seconds, both at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimit {
    requests: u32,
    period_seconds: u32,
}

/// Numbers that are no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestLimitError {
    /// The requests are not within their bounds.
    Requests,
    /// The period is not within its bounds.
    Period,
}

impl fmt::Display for RequestLimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let max = match self {
            Self::Requests => RequestLimit::REQUESTS_MAX,
            Self::Period => RequestLimit::PERIOD_SECONDS_MAX,
        };
        write!(f, "must be a number from 1 to {max}")
    }
}

impl std::error::Error for RequestLimitError {}

impl RequestLimit {
    /// The most requests of one period.
    pub const REQUESTS_MAX: u32 = 1_000_000_000;
    /// The longest period: 31 days.
    pub const PERIOD_SECONDS_MAX: u32 = 31 * 24 * 3600;

    /// A limit.
    ///
    /// # Errors
    /// When a number is 0 or beyond its bound.
    pub fn new(requests: u32, period_seconds: u32) -> Result<Self, RequestLimitError> {
        match () {
            () if !(1..=Self::REQUESTS_MAX).contains(&requests) => Err(RequestLimitError::Requests),
            () if !(1..=Self::PERIOD_SECONDS_MAX).contains(&period_seconds) => Err(RequestLimitError::Period),
            () => Ok(Self { requests, period_seconds }),
        }
    }

    /// Requests in one period.
    pub const fn requests(self) -> u32 {
        self.requests
    }

    /// The length of a period.
    pub const fn period_seconds(self) -> u32 {
        self.period_seconds
    }

    /// Whether it certainly never lets through more than another: not more requests, in not less time.
    pub const fn is_within(self, other: Self) -> bool {
        self.requests <= other.requests && self.period_seconds >= other.period_seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guards(networks: &[&str], limit: Option<(u32, u32)>) -> Guards {
        Guards {
            allow_list: AllowList::parse(networks.iter().copied()).ok(),
            request_limit: limit.map(|(requests, period)| RequestLimit::new(requests, period).unwrap()),
        }
    }

    #[test]
    fn a_limit_has_bounds() {
        let (requests, period) = (RequestLimit::REQUESTS_MAX, RequestLimit::PERIOD_SECONDS_MAX);
        assert!(RequestLimit::new(1, 1).is_ok());
        assert!(RequestLimit::new(requests, period).is_ok());
        for wrong in [0, requests + 1] {
            assert_eq!(RequestLimit::new(wrong, 1), Err(RequestLimitError::Requests));
        }
        for wrong in [0, period + 1] {
            assert_eq!(RequestLimit::new(1, wrong), Err(RequestLimitError::Period));
        }
        assert_eq!(RequestLimitError::Period.to_string(), "must be a number from 1 to 2678400");
    }

    #[test]
    fn guards_are_within_others_where_they_let_nothing_more_through() {
        let some = guards(&["192.0.2.0/24"], Some((10, 60)));
        assert!(some.are_within(&some));
        assert!(some.are_within(&Guards::NONE));
        assert!(!Guards::NONE.are_within(&some));
        assert!(guards(&["192.0.2.1"], Some((10, 61))).are_within(&some));
        for wider in [
            guards(&["192.0.2.1"], None),
            guards(&[], Some((1, 60))),
            guards(&["192.0.3.1"], Some((1, 60))),
            guards(&["192.0.2.1"], Some((11, 60))),
            guards(&["192.0.2.1"], Some((1, 59))),
        ] {
            assert!(!wider.are_within(&some), "{wider:?}");
        }
    }
}
