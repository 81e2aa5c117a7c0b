//! Connections, their secrets, and how many an org has.

use std::collections::{BTreeMap, HashMap};

use claviger_model::ConnectionSecrets;
use claviger_vault::Vault;

use super::{Fault, Finding, Fold, Kind, Report, shown_id};
use crate::connections::{COLUMNS, connection_secret_place, read_connection};
use crate::{Snapshot, StoreError, state};

impl Snapshot {
    pub(super) async fn compare_connections(
        &self,
        vault: &Vault,
        fold: &mut Fold,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let mut kept = HashMap::<String, ConnectionSecrets>::new();
        let sql = "SELECT connection_id, org_id, name, revision, sealed FROM connection_secrets";
        let mut whose = HashMap::<String, String>::new();
        self.each_thing(sql, Kind::Connection, fold, report, |row, _, report| {
            let (id, org): (String, String) = (row.get(0)?, row.get(1)?);
            let (name, revision): (String, i64) = (row.get(2)?, row.get(3)?);
            let secret =
                |fault| Finding::Row { row: format!("connection_secrets of connection:{id}"), fault };
            if *whose.entry(id.clone()).or_insert(org.clone()) != org {
                report.add(secret(Fault::Differs));
            }
            // That a value is this one and no other is what sealing says: each opens in its own place alone.
            let place = connection_secret_place(row.parsed(1)?, row.parsed(0)?, &name, revision);
            if let Err(error) = vault.open(&place, &row.get::<Vec<u8>>(4)?) {
                report.add(secret(Fault::Damaged(format!("{name}: {error}"))));
            }
            kept.entry(id).or_default().0.insert(name, revision);
            Ok(())
        })
        .await?;
        let mut counted = BTreeMap::<String, i64>::new();
        let sql = format!("SELECT {COLUMNS} FROM connections i");
        self.each_thing(&sql, Kind::Connection, fold, report, |row, fold, report| {
            *counted.entry(shown_id(row, 1)).or_default() += 1;
            let connection = read_connection(row)?;
            let id = connection.id.to_string();
            let is_its_orgs = whose.get(&id).is_none_or(|org| *org == connection.org.to_string());
            if kept.remove(&id).unwrap_or_default() != connection.secrets || !is_its_orgs {
                return Err(StoreError::damaged("its secrets are not those that it names"));
            }
            Ok(fold.meet(state::connection(&connection), &[], report))
        })
        .await?;
        for id in kept.into_keys() {
            let row = format!("connection_secrets of connection:{id}");
            report.add(Finding::Row { row, fault: Fault::Surplus });
        }
        self.each("SELECT id, connections FROM orgs", &[], |row| {
            let org = shown_id(row, 0);
            let counted = counted.get(&org).copied().unwrap_or(0);
            let kept = row.int(1).ok().flatten().unwrap_or(-1);
            if kept != counted {
                let row = format!("connections of org:{org}");
                report.add(Finding::Row { row, fault: Fault::Count { kept, counted } });
            }
            Ok(())
        })
        .await
    }
}
