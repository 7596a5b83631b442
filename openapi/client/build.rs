//! Generates the client from the checked-in document.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use progenitor::{GenerationSettings, Generator, InterfaceStyle};

const DOCUMENT: &str = "../openapi-3.0.json";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    let document: openapiv3::OpenAPI = serde_json::from_str(&fs::read_to_string(DOCUMENT)?)?;
    let mut settings = GenerationSettings::default();
    settings.with_interface(InterfaceStyle::Builder);
    let client = syn::parse2(Generator::new(&settings).generate_tokens(&document)?)?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("client.rs"), prettyplease::unparse(&client))?;
    Ok(())
}
