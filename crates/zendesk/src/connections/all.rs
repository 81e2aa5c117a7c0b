//! `…/connections/all`: every connection of an integration, by type, a page at a time (reference: "All Connections").
//! Cursors are names; one that is nobody's any more still says where to go on.

use axum::Json;
use axum::extract::State;
use claviger_catalog::ZisType;
use claviger_engine::rights::ConnectionsRead;
use claviger_engine::{ConnectionCursor, ShownZisConnection};
use claviger_http::openapi::{Named, Query};
use claviger_http::{App, Route};
use http::{Method, StatusCode, Uri};
use serde_json::{Map, Value, json};

use super::wire;
use crate::bound::Bound;
use crate::describe::of_connections;
use crate::error::{Error, Service, Told};

/// The largest page, and the one where no size is asked for.
const SIZE_MAX: usize = 100;

pub(super) fn route() -> Route {
    let path = "/api/services/zis/integrations/{integration}/connections/all";
    let text = json!({ "type": "string" });
    let query = |name, description: &str, schema| Query { name, description: description.to_owned(), schema };
    let parameters = vec![
        query("page[after]", "Only those whose name comes after this", text.clone()),
        query("page[before]", "Only those whose name comes before this", text.clone()),
        query(
            "page[size]",
            "How many on a page",
            json!({ "type": "integer", "minimum": 1, "maximum": SIZE_MAX, "default": SIZE_MAX }),
        ),
    ];
    let items = |of| match of {
        ZisType::OAuth => crate::oauth::wire::schema(),
        of => wire::bare_schema(of),
    };
    let lists =
        ZisType::ALL.map(|of| (of.as_str().to_owned(), json!({ "type": "array", "items": items(of) })));
    let mut members = Map::from_iter(lists);
    let meta = json!({ "after": text, "before": text, "has_more": { "type": "boolean" } });
    members.insert("meta".to_owned(), json!({ "type": "object", "properties": meta }));
    let schema = json!({ "type": "object", "properties": members });
    Route::new(super::info(Method::GET, path, "List all connections"), list).described(
        of_connections("ListZisConnections")
            .query(parameters)
            .answers(StatusCode::OK, Named::new("ZisConnections", schema)),
    )
}

async fn list(
    State(app): State<App>,
    Bound { permit, integration }: Bound<ConnectionsRead>,
    uri: Uri,
) -> Result<Json<Value>, Told<Service>> {
    let (cursor, size) = page(&uri)?;
    let (found, has_more) = app.engine().list_zis_connections(&permit, &integration, &cursor, size).await?;
    Ok(Json(listed(&found, has_more)))
}

fn listed(found: &[ShownZisConnection], has_more: bool) -> Value {
    let of_type = |of: ZisType| found.iter().filter(|it| it.of == of).map(bare).collect::<Vec<_>>();
    let lists = ZisType::ALL.map(|of| (of.as_str().to_owned(), json!(of_type(of))));
    let mut body = Map::from_iter(lists);
    let name =
        |shown: Option<&ShownZisConnection>| shown.map_or("", |it| it.connection.name.as_str()).to_owned();
    let meta = json!({ "after": name(found.last()), "before": name(found.first()), "has_more": has_more });
    body.insert("meta".to_owned(), meta);
    Value::Object(body)
}

/// Whatever the type and the operator's choice, no secret takes part in it.
fn bare(shown: &ShownZisConnection) -> Value {
    match shown.of {
        ZisType::OAuth => crate::oauth::wire::redacted(shown),
        _ => wire::bare(shown),
    }
}

/// Every fault of the query is named.
fn page(uri: &Uri) -> Result<(ConnectionCursor, usize), Error> {
    let (mut after, mut before, mut size, mut faults) = (None, None, SIZE_MAX, Vec::new());
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match (name.as_ref(), value.parse::<usize>()) {
            ("page[after]", _) => after = Some(value.into_owned()).filter(|value| !value.is_empty()),
            ("page[before]", _) => before = Some(value.into_owned()).filter(|value| !value.is_empty()),
            ("page[size]", Ok(number)) if (1..=SIZE_MAX).contains(&number) => size = number,
            ("page[size]", _) => faults.push(fault("page[size]", "must be a number from 1 to 100")),
            _ => {}
        }
    }
    let cursor = match (after, before) {
        (None, None) => ConnectionCursor::First,
        (Some(name), None) => ConnectionCursor::After(name),
        (None, Some(name)) => ConnectionCursor::Before(name),
        (Some(_), Some(_)) => {
            faults.push(fault("page[before]", "must not stand beside page[after]"));
            ConnectionCursor::First
        }
    };
    if faults.is_empty() { Ok((cursor, size)) } else { Err(Error::invalid(faults)) }
}

fn fault(field: &str, reason: &str) -> claviger_engine::FieldError {
    claviger_engine::FieldError { field: field.to_owned(), reason: reason.to_owned() }
}
