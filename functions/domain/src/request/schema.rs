//! What the document says of the fields whose rules no attribute can express. The rules themselves are in `check`.

use utoipa::openapi::schema::{Array, ArrayBuilder, Object, ObjectBuilder, Schema, SchemaType, Type};

/// At most 20, keys to 64 and values to 256 characters.
pub(super) fn labels() -> Object {
    let text = |shortest, longest| {
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(shortest).max_length(Some(longest));
        Schema::Object(text.build())
    };
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("Your own marks: at most 20, keys to 64 and values to 256 characters."))
        .property_names(Some(text(Some(1), 64)))
        .additional_properties(Some(text(None, 256)))
        .max_properties(Some(20))
        .build()
}

/// 1 to 16, each once.
pub(super) fn subnets() -> Array {
    aws_ids("subnet-", (Some(1), 16), "Subnets, at most one per availability zone.")
}

/// At most 5, each once.
pub(super) fn security_groups() -> Array {
    aws_ids("sg-", (None, 5), "Security groups, at most 5.")
}

fn aws_ids(prefix: &str, (fewest, most): (Option<usize>, usize), description: &str) -> Array {
    let pattern = format!("^{prefix}(?:[0-9a-f]{{8}}|[0-9a-f]{{17}})$");
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .items(ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).build())
        .min_items(fewest)
        .max_items(Some(most))
        .unique_items(true)
        .description(Some(description))
        .build()
}
