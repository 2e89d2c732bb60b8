//! `docs/reference/chain.md`, written from what the runtime says of itself.

use crate::common::genesis;
use codec::{Compact, Decode};
use frame_metadata::v15::{PalletMetadata, RuntimeMetadataV15};
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};
use openledger_runtime::{Runtime, VERSION};
use scale_info::form::PortableForm;
use scale_info::{Field, PortableRegistry, TypeDef, TypeDefPrimitive, Variant};
use std::fmt::Write;
use std::path::Path;

/// Pallets that are OpenLedger's own; the others are the SDK's, documented there.
const OURS: [&str; 4] = ["Datanets", "Review", "Leaderboard", "Training"];
/// Runtime APIs of other names that programs of ours read.
const APIS: [&str; 2] = ["Committee", "Nomination"];
const HEAD: &str = "# The chain's calls, events, errors and parameters

Written from the runtime's metadata by `OPENLEDGER_UPDATE=1 scripts/test chain -- reference`; a test fails when it is
out of date. Amounts are in plancks (10⁻¹⁸ OPEN), times in blocks unless they say otherwise. A call's index and an error's stay
what they are in later versions. A parameter is a constant of the runtime: a runtime upgrade changes it, which
is decided by [referendum](../governance.md).
";

/// The reference is of this runtime. After a change of the runtime, run this test with `OPENLEDGER_UPDATE=1` and
/// commit the file.
#[test]
fn reference_of_the_chain_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/chain.md");
    let metadata = genesis("development").execute_with(|| {
        Runtime::metadata_at_version(15).expect("the runtime has metadata of version 15")
    });
    let RuntimeMetadataPrefixed(_, RuntimeMetadata::V15(metadata)) =
        RuntimeMetadataPrefixed::decode(&mut &metadata[..]).expect("metadata")
    else {
        panic!("metadata of version 15")
    };
    let current = page(&metadata);
    if std::env::var_os("OPENLEDGER_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, &current).expect("the file can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "docs/reference/chain.md is out of date; run: OPENLEDGER_UPDATE=1 scripts/test chain -- reference"
    );
}

/// What is too long is refused when a transaction is read, before anything is done with it: no argument of a call
/// of ours is a list, a text or a nesting without an end.
#[test]
fn no_call_takes_a_list_without_a_bound() {
    let metadata = genesis("development").execute_with(|| {
        Runtime::metadata_at_version(15).expect("the runtime has metadata of version 15")
    });
    let RuntimeMetadataPrefixed(_, RuntimeMetadata::V15(metadata)) =
        RuntimeMetadataPrefixed::decode(&mut &metadata[..]).expect("metadata")
    else {
        panic!("metadata of version 15")
    };
    let mut looked_at = 0;
    for name in OURS {
        let pallet = metadata.pallets.iter().find(|pallet| pallet.name == name).expect("a pallet");
        let calls = pallet.calls.as_ref().expect("it has calls").ty.id;
        let TypeDef::Variant(calls) = &metadata.types.resolve(calls).expect("a type").type_def
        else {
            panic!("calls are variants")
        };
        for call in &calls.variants {
            for field in &call.fields {
                let unbounded = unbounded(&metadata.types, field.ty.id, &mut Vec::new());
                assert_eq!(unbounded, None, "{name}.{} {:?}", call.name, field.name);
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 100, "{looked_at}");
}

/// The first part of a type that has no end.
fn unbounded(types: &PortableRegistry, id: u32, above: &mut Vec<u32>) -> Option<String> {
    let ty = types.resolve(id).expect("a type");
    let name = ty.path.ident().unwrap_or_else(|| format!("{:?}", ty.type_def));
    if above.contains(&id) {
        return Some(format!("{name} within itself"));
    }
    above.push(id);
    let bounded = matches!(&name[..], "BoundedVec" | "WeakBoundedVec" | "BoundedBTreeMap");
    let mut inside = |id| unbounded(types, id, above);
    let found = match &ty.type_def {
        TypeDef::Composite(all) if bounded => all.fields.iter().find_map(|field| {
            match &types.resolve(field.ty.id).expect("a type").type_def {
                TypeDef::Sequence(of) => inside(of.type_param.id),
                _ => inside(field.ty.id),
            }
        }),
        TypeDef::Composite(all) => all.fields.iter().find_map(|field| inside(field.ty.id)),
        TypeDef::Variant(all) => all
            .variants
            .iter()
            .flat_map(|variant| &variant.fields)
            .find_map(|field| inside(field.ty.id)),
        TypeDef::Sequence(_) => Some(name),
        TypeDef::Primitive(TypeDefPrimitive::Str) => Some(name),
        TypeDef::Array(of) => inside(of.type_param.id),
        TypeDef::Tuple(all) => all.fields.iter().find_map(|field| inside(field.id)),
        TypeDef::Compact(of) => inside(of.type_param.id),
        TypeDef::BitSequence(_) => Some(name),
        TypeDef::Primitive(_) => None,
    };
    above.pop();
    found
}

fn page(metadata: &RuntimeMetadataV15) -> String {
    let mut out = HEAD.to_owned();
    let _ = writeln!(
        out,
        "\nSpec version {}, transaction version {}.",
        VERSION.spec_version, VERSION.transaction_version
    );
    for name in OURS {
        let pallet = metadata.pallets.iter().find(|pallet| pallet.name == name);
        put_pallet(&mut out, &metadata.types, pallet.expect("a pallet of that name"));
    }
    let _ = writeln!(out, "\n## Runtime APIs\n\nRead by `state_call` at any block.\n");
    let _ = writeln!(out, "| method | takes | answers | |\n|---|---|---|---|");
    let named = OURS.iter().chain(&APIS);
    for api in metadata.apis.iter().filter(|api| named.clone().any(|own| api.name.starts_with(own)))
    {
        for method in &api.methods {
            let inputs: Vec<_> = (method.inputs.iter())
                .map(|input| format!("`{}`: {}", input.name, name_of(&metadata.types, input.ty.id)))
                .collect();
            let _ = writeln!(
                out,
                "| `{}_{}` | {} | {} | {} |",
                api.name,
                method.name,
                inputs.join(", "),
                name_of(&metadata.types, method.output.id),
                line(&method.docs)
            );
        }
    }
    out
}

fn put_pallet(out: &mut String, types: &PortableRegistry, pallet: &PalletMetadata<PortableForm>) {
    let _ =
        writeln!(out, "\n## {} (pallet {})\n\n{}", pallet.name, pallet.index, line(&pallet.docs));
    if let Some(calls) = &pallet.calls {
        let _ = writeln!(out, "\n### Calls of {}", pallet.name);
        for call in variants(types, calls.ty.id) {
            let _ = writeln!(out, "\n#### `{}` ({})\n", call.name, call.index);
            let _ = writeln!(out, "{}", paragraphs(&call.docs));
            put_fields(out, types, &call.fields);
        }
    }
    if let Some(event) = &pallet.event {
        let _ =
            writeln!(out, "\n### Events of {}\n\n| event | fields | |\n|---|---|---|", pallet.name);
        for event in variants(types, event.ty.id) {
            let fields: Vec<_> = event.fields.iter().map(|field| field_of(types, field)).collect();
            let _ = writeln!(
                out,
                "| `{}` | {} | {} |",
                event.name,
                fields.join(", "),
                line(&event.docs)
            );
        }
    }
    if let Some(error) = &pallet.error {
        let _ =
            writeln!(out, "\n### Errors of {}\n\n| index | error | |\n|---|---|---|", pallet.name);
        for error in variants(types, error.ty.id) {
            let _ = writeln!(out, "| {} | `{}` | {} |", error.index, error.name, line(&error.docs));
        }
    }
    if !pallet.constants.is_empty() {
        let _ = writeln!(out, "\n### Parameters of {}\n", pallet.name);
        let _ = writeln!(out, "| parameter | value | type | |\n|---|---|---|---|");
        for constant in &pallet.constants {
            let mut bytes = &constant.value[..];
            let value = value_of(types, constant.ty.id, &mut bytes);
            let value = value.filter(|_| bytes.is_empty());
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} |",
                constant.name,
                value.unwrap_or_else(|| format!("`{}` (SCALE)", hex(&constant.value))),
                name_of(types, constant.ty.id),
                line(&constant.docs)
            );
        }
    }
}

fn put_fields(out: &mut String, types: &PortableRegistry, fields: &[Field<PortableForm>]) {
    if fields.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n| argument | type |\n|---|---|");
    for field in fields {
        let name = field.name.as_deref().unwrap_or("–");
        let _ = writeln!(out, "| `{name}` | {} |", name_of(types, field.ty.id));
    }
}

fn field_of(types: &PortableRegistry, field: &Field<PortableForm>) -> String {
    match &field.name {
        Some(name) => format!("`{name}`: {}", name_of(types, field.ty.id)),
        None => name_of(types, field.ty.id),
    }
}

fn variants(types: &PortableRegistry, id: u32) -> &[Variant<PortableForm>] {
    match types.resolve(id).map(|found| &found.type_def) {
        Some(TypeDef::Variant(variant)) => &variant.variants,
        _ => &[],
    }
}

/// A type's name as a reader of the page looks for it.
fn name_of(types: &PortableRegistry, id: u32) -> String {
    let Some(found) = types.resolve(id) else { return String::from("?") };
    let inner = |id: u32| name_of(types, id);
    match &found.type_def {
        TypeDef::Primitive(primitive) => format!("{primitive:?}").to_lowercase(),
        TypeDef::Compact(compact) => format!("compact {}", inner(compact.type_param.id)),
        TypeDef::Sequence(sequence) => match inner(sequence.type_param.id) {
            bytes if bytes == "u8" => String::from("bytes"),
            other => format!("list of {other}"),
        },
        TypeDef::Array(array) => match inner(array.type_param.id) {
            bytes if bytes == "u8" => format!("{} bytes", array.len),
            other => format!("{} × {other}", array.len),
        },
        TypeDef::Tuple(tuple) if tuple.fields.is_empty() => String::from("nothing"),
        TypeDef::Tuple(tuple) => {
            let fields: Vec<_> = tuple.fields.iter().map(|field| inner(field.id)).collect();
            format!("({})", fields.join(", "))
        }
        TypeDef::BitSequence(_) => String::from("bits"),
        TypeDef::Composite(_) | TypeDef::Variant(_) => {
            let name =
                found.path.ident().map_or_else(|| String::from("?"), |name| name.to_string());
            let parameters: Vec<_> = found.type_params.iter().filter_map(|p| p.ty).collect();
            match (name.as_str(), parameters.first()) {
                ("AccountId32", _) | ("MultiAddress", _) => String::from("account"),
                ("BoundedVec" | "WeakBoundedVec", Some(item)) => match inner(item.id) {
                    bytes if bytes == "u8" => String::from("bytes"),
                    other => format!("list of {other}"),
                },
                ("Option", Some(item)) => format!("{}?", inner(item.id)),
                ("Result", Some(item)) => format!("{} or a refusal", inner(item.id)),
                (_, Some(_)) if !parameters.is_empty() && name != "Call" => {
                    let parameters: Vec<_> = parameters.iter().map(|p| inner(p.id)).collect();
                    format!("{name} of {}", parameters.join(", "))
                }
                _ => name,
            }
        }
    }
}

/// A constant as text; none where it is of a type that is not read here.
fn value_of(types: &PortableRegistry, id: u32, bytes: &mut &[u8]) -> Option<String> {
    fn number<T: Decode + Into<u128>>(bytes: &mut &[u8]) -> Option<String> {
        T::decode(bytes).ok().map(|number| grouped(number.into()))
    }
    let found = types.resolve(id)?;
    match &found.type_def {
        TypeDef::Primitive(TypeDefPrimitive::Bool) => Some(bool::decode(bytes).ok()?.to_string()),
        TypeDef::Primitive(TypeDefPrimitive::U8) => number::<u8>(bytes),
        TypeDef::Primitive(TypeDefPrimitive::U16) => number::<u16>(bytes),
        TypeDef::Primitive(TypeDefPrimitive::U32) => number::<u32>(bytes),
        TypeDef::Primitive(TypeDefPrimitive::U64) => number::<u64>(bytes),
        TypeDef::Primitive(TypeDefPrimitive::U128) => number::<u128>(bytes),
        TypeDef::Compact(_) => Compact::<u128>::decode(bytes).ok().map(|number| grouped(number.0)),
        TypeDef::Array(array) if array.len == 8 => {
            let (text, rest) = bytes.split_at_checked(8)?;
            *bytes = rest;
            String::from_utf8(text.to_vec()).ok().map(|text| format!("`{text}`"))
        }
        TypeDef::Tuple(tuple) => {
            fields_of(types, tuple.fields.iter().map(|field| (None, field.id)), bytes)
        }
        TypeDef::Composite(composite) => {
            let fields = composite.fields.iter();
            fields_of(types, fields.map(|field| (field.name.as_deref(), field.ty.id)), bytes)
        }
        TypeDef::Variant(variant) => {
            let index = u8::decode(bytes).ok()?;
            let variant = variant.variants.iter().find(|variant| variant.index == index)?;
            let fields = variant.fields.iter().map(|field| (field.name.as_deref(), field.ty.id));
            match variant.fields.is_empty() {
                true => Some(variant.name.clone()),
                false => Some(format!("{} {}", variant.name, fields_of(types, fields, bytes)?)),
            }
        }
        TypeDef::Sequence(sequence) => {
            let count = Compact::<u32>::decode(bytes).ok()?.0;
            let items: Option<Vec<_>> =
                (0..count).map(|_| value_of(types, sequence.type_param.id, bytes)).collect();
            Some(items?.join(", "))
        }
        _ => None,
    }
}

fn fields_of<'a>(
    types: &PortableRegistry,
    fields: impl Iterator<Item = (Option<&'a str>, u32)>,
    bytes: &mut &[u8],
) -> Option<String> {
    let mut out = Vec::new();
    for (name, id) in fields {
        let value = value_of(types, id, bytes)?;
        out.push(name.map_or_else(|| value.clone(), |name| format!("{name} {value}")));
    }
    Some(out.join(", "))
}

/// A number with a separator every three digits, so that amounts can be read.
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first paragraph of documentation as one line of a table.
fn line(docs: &[String]) -> String {
    let first = docs.iter().map(|line| line.trim()).take_while(|line| !line.is_empty());
    plain(&first.collect::<Vec<_>>().join(" ")).replace('|', "\\|")
}

fn paragraphs(docs: &[String]) -> String {
    // Rustdoc's headings would be chapters of the page.
    let lines = docs.iter().map(|line| match line.trim().strip_prefix("# ") {
        Some(heading) => format!("**{heading}**"),
        None => plain(line.trim()),
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Documentation without the links that only rustdoc follows: [`Name`] and [text](path::of::rust).
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find('[') {
        out.push_str(rest.get(..begin).unwrap_or_default());
        rest = rest.get(begin..).unwrap_or_default();
        let Some(end) = rest.find(']') else { break };
        let label = rest.get(1..end).unwrap_or_default();
        let after = rest.get(end + 1..).unwrap_or_default();
        let link = after.strip_prefix('(').and_then(|link| link.split_once(')'));
        match link {
            Some((target, left)) if !target.contains("://") => {
                out.push_str(label);
                rest = left;
            }
            None if label.starts_with('`') => {
                out.push_str(label);
                rest = after;
            }
            _ => {
                out.push_str(rest.get(..=end).unwrap_or_default());
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}
