//! What the vendor says, where that is recorded. Source: the recordings that the vendor's Python client is tested
//! with, "Create a new Action Connection" and "Update an existing Action Connection", both answered with "Bad
//! Request".

use crate::fault::Faults;

/// Its words when an AWS account does not match its pattern, the only such words that are recorded.
const ACCOUNT_ON_CREATE: &str = r#"[error_code=8]: invalid CreateCustomConnectionRequest.Data: embedded message failed validation | caused by: invalid CustomConnectionData.Aws: embedded message failed validation | caused by: invalid CustomConnectionData_AwsAuthData.AssumeRole: embedded message failed validation | caused by: invalid CustomConnectionData_AwsAuthData_AssumeRole.AccountId: value does not match regex pattern "^\\d{12}$""#;
const ACCOUNT_ON_UPDATE: &str = r#"[error_code=8]: invalid UpdateCustomConnectionRequest.DataUpdate: embedded message failed validation | caused by: invalid CustomConnectionDataUpdate.Aws: embedded message failed validation | caused by: invalid CustomConnectionDataUpdate_AwsAuth.AssumeRole: embedded message failed validation | caused by: invalid CustomConnectionDataUpdate_AwsAuth_AssumeRole.AccountId: value does not match regex pattern "^\\d{12}$""#;

/// What the vendor says when a field does not match its pattern.
pub(crate) fn mismatch(credentials: &str, field: &str, is_create: bool) -> Option<&'static str> {
    match (credentials, field, is_create) {
        ("AWSAssumeRole", "account_id", true) => Some(ACCOUNT_ON_CREATE),
        ("AWSAssumeRole", "account_id", false) => Some(ACCOUNT_ON_UPDATE),
        _ => None,
    }
}

impl Faults {
    /// All faults in the words and the frame of the vendor, on a create and on an update alike ("creating", sic).
    pub fn vendor_detail(&self) -> String {
        let told: Vec<String> = self.iter().map(|fault| format!("* {fault}")).collect();
        let count = told.len() + self.untold();
        let errors = if count == 1 { "1 error".to_owned() } else { format!("{count} errors") };
        format!(
            "error creating connection: rpc error: code = InvalidArgument desc = multiple errors: {errors} occurred:\n\t{}\n\n",
            told.join("\n\t"),
        )
    }
}
