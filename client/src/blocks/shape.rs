//! Whether an event of a block has the shape that this program was built for.
//!
//! A runtime may change what an event carries. Its metadata says so: the shape of an event is written out
//! type by type and compared with that of the metadata within this program. What differs is refused by
//! name, never guessed.

use super::event::{ChainEvent, OUR_PALLETS};
use crate::errors::{ClientError, Result};
use scale_info::{form::PortableForm, PortableRegistry, TypeDef, Variant};
use std::{collections::HashMap, fmt::Write, sync::LazyLock};
use subxt::Metadata;

static OWN: LazyLock<Option<Shapes>> = LazyLock::new(|| {
    let own = Metadata::decode_from(include_bytes!("../../metadata.scale")).ok()?;
    Some(Shapes::of(&own))
});

/// Shapes of earlier runtimes that [`ChainEvent`] reads as well.
const EARLIER: &[(&str, &str, &str)] = &[
    // Up to version 102 a vote's event did not say the verdict.
    ("Review", "Voted", "{datanet:U32,submission:U64,curator:([32]U8,),replaced:Bool,}"),
];

/// The shapes of all events of a runtime, by pallet and event.
pub(super) struct Shapes(HashMap<(String, String), String>);

impl Shapes {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let mut shapes = HashMap::new();
        for pallet in metadata.pallets() {
            for event in pallet.event_variants().unwrap_or_default() {
                let mut shape = String::new();
                fields(metadata.types(), event, &mut Vec::new(), &mut shape);
                shapes.insert((pallet.name().to_owned(), event.name.clone()), shape);
            }
        }
        Self(shapes)
    }

    /// Whether an event has the shape that this program knows, or one of before that it still reads.
    pub(super) fn require(&self, pallet: &str, event: &str, spec: u32) -> Result<()> {
        let key = (pallet.to_owned(), event.to_owned());
        let own = OWN.as_ref().and_then(|own| own.0.get(&key));
        let found = self.0.get(&key);
        let earlier = || {
            EARLIER.iter().any(|(of, name, shape)| {
                *of == pallet && *name == event && found.is_some_and(|found| found == shape)
            })
        };
        if own.is_some() && (own == found || earlier()) {
            return Ok(());
        }
        let what = format!("the event {pallet}.{event} of runtime version {spec}");
        Err(ClientError::Incompatible { what })
    }
}

/// Events of OpenLedger's pallets that are not among [`ChainEvent::KNOWN`] with these fields, or are there
/// and in no pallet: what an index would stop at. Empty but for a change that forgot them.
pub fn unknown_events() -> Vec<String> {
    let Ok(own) = Metadata::decode_from(include_bytes!("../../metadata.scale")) else {
        return vec!["the metadata cannot be read".to_owned()];
    };
    let mut unknown = Vec::new();
    let mut found = 0;
    for pallet in own.pallets() {
        for event in pallet.event_variants().unwrap_or_default() {
            let known = ChainEvent::KNOWN
                .iter()
                .find(|(of, name, _)| *of == pallet.name() && *name == event.name);
            let named: Vec<_> =
                event.fields.iter().map(|field| field.name.as_deref().unwrap_or("")).collect();
            match known {
                Some((_, _, fields)) if *fields == named => found += 1,
                None if !OUR_PALLETS.contains(&pallet.name()) => {}
                _ => unknown.push(format!("{}.{} {named:?}", pallet.name(), event.name)),
            }
        }
    }
    if found != ChainEvent::KNOWN.len() {
        unknown.push(format!("{found} of {} known events are there", ChainEvent::KNOWN.len()));
    }
    unknown
}

fn fields(
    types: &PortableRegistry,
    variant: &Variant<PortableForm>,
    above: &mut Vec<u32>,
    shape: &mut String,
) {
    shape.push('{');
    for field in &variant.fields {
        let _ = write!(shape, "{}:", field.name.as_deref().unwrap_or(""));
        type_shape(types, field.ty.id, above, shape);
        shape.push(',');
    }
    shape.push('}');
}

fn type_shape(types: &PortableRegistry, id: u32, above: &mut Vec<u32>, shape: &mut String) {
    let Some(found) = types.resolve(id) else {
        shape.push('?');
        return;
    };
    // A type within itself: how far up stands for it.
    if let Some(depth) = above.iter().rev().position(|other| *other == id) {
        let _ = write!(shape, "^{depth}");
        return;
    }
    above.push(id);
    match &found.type_def {
        TypeDef::Composite(composite) => {
            shape.push('(');
            for field in &composite.fields {
                type_shape(types, field.ty.id, above, shape);
                shape.push(',');
            }
            shape.push(')');
        }
        TypeDef::Variant(variants) => {
            shape.push('<');
            for variant in &variants.variants {
                let _ = write!(shape, "{}={}", variant.index, variant.name);
                fields(types, variant, above, shape);
            }
            shape.push('>');
        }
        TypeDef::Sequence(sequence) => {
            shape.push_str("[]");
            type_shape(types, sequence.type_param.id, above, shape);
        }
        TypeDef::Array(array) => {
            let _ = write!(shape, "[{}]", array.len);
            type_shape(types, array.type_param.id, above, shape);
        }
        TypeDef::Tuple(tuple) => {
            shape.push('(');
            for field in &tuple.fields {
                type_shape(types, field.id, above, shape);
                shape.push(',');
            }
            shape.push(')');
        }
        TypeDef::Primitive(primitive) => {
            let _ = write!(shape, "{primitive:?}");
        }
        TypeDef::Compact(compact) => {
            shape.push('~');
            type_shape(types, compact.type_param.id, above, shape);
        }
        TypeDef::BitSequence(_) => shape.push_str("bits"),
    }
    above.pop();
}
