//! Layers hold: no crate imports what its row in `docs/architecture.md` does not list.

use xtask::layers::{imports, table};

#[test]
fn every_crate_imports_only_what_its_row_lists() {
    let (table, imports) = (table(), imports());
    assert!(table.len() > 10, "the table of docs/architecture.md was not read");
    let layer = |name: &str| table.iter().find(|row| row.name == name).map(|row| row.layer);
    let mut wrong = Vec::new();
    for (name, used) in &imports {
        let Some(row) = table.iter().find(|row| row.name == *name) else {
            wrong.push(format!("`{name}` has no row"));
            continue;
        };
        for import in used {
            let listed = row.imports.as_ref().is_none_or(|listed| listed.contains(import));
            if !listed || layer(import) >= Some(row.layer) {
                wrong.push(format!("`{name}` (layer {}) imports `{import}`", row.layer));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_row_has_its_crate() {
    let imports = imports();
    let missing: Vec<String> =
        table().into_iter().map(|row| row.name).filter(|name| !imports.contains_key(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
