//! Transformers as the training of one sees them: parameters and operations of a layer.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::input::InputError;

/// A model: the name of one that is built in, or its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Model {
    /// One that is built in, by its name.
    Named(&'static str),
    /// One that the experiment file describes.
    Shaped(Shape),
}

/// The shape of a decoder-only transformer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    pub layers: u64,
    /// Width of the residual stream.
    pub hidden: u64,
    /// Inner width of the feed-forward network (of the dense layers).
    pub ffn: u64,
    pub heads: u64,
    /// Heads of keys and values.
    pub kv_heads: u64,
    pub vocab: u64,
    /// Experts of each layer that has any.
    #[serde(default)]
    pub experts: u64,
    /// Experts that a token goes to.
    #[serde(default)]
    pub top_k: u64,
    /// Inner width of an expert.
    #[serde(default)]
    pub expert_ffn: u64,
    /// Layers without experts, in a model that has some.
    #[serde(default)]
    pub dense_layers: u64,
    /// Experts that every token goes to, besides the others.
    #[serde(default)]
    pub shared_experts: u64,
    /// Whether feed-forward networks have three matrices (SwiGLU) or two.
    #[serde(default = "gated")]
    pub gated: bool,
    /// Whether embedding and output share one matrix.
    #[serde(default)]
    pub tied: bool,
    /// Bytes of each number that is sent to an expert: 1 for FP8, 2 for BF16. It comes back in 2.
    #[serde(default = "bf16")]
    pub dispatch_bytes: u64,
}

fn gated() -> bool {
    true
}

fn bf16() -> u64 {
    2
}

/// A shape without experts.
const fn dense(layers: u64, hidden: u64, ffn: u64, heads: u64, kv_heads: u64, vocab: u64) -> Shape {
    Shape {
        layers,
        hidden,
        ffn,
        heads,
        kv_heads,
        vocab,
        experts: 0,
        top_k: 0,
        expert_ffn: 0,
        dense_layers: 0,
        shared_experts: 0,
        gated: true,
        tied: false,
        dispatch_bytes: 2,
    }
}

/// From their papers and model cards.
const BUILT_IN: &[(&str, Shape)] = &[
    (
        "gpt-3-175b",
        Shape {
            gated: false,
            tied: true,
            ..dense(96, 12_288, 49_152, 96, 96, 50_257)
        },
    ),
    ("llama-3-8b", dense(32, 4_096, 14_336, 32, 8, 128_256)),
    ("llama-3-70b", dense(80, 8_192, 28_672, 64, 8, 128_256)),
    ("llama-3-405b", dense(126, 16_384, 53_248, 128, 8, 128_256)),
    (
        "mixtral-8x7b",
        Shape {
            experts: 8,
            top_k: 2,
            expert_ffn: 14_336,
            ..dense(32, 4_096, 14_336, 32, 8, 32_000)
        },
    ),
    (
        // Attention is counted as if it had no latent compression.
        "deepseek-v3",
        Shape {
            experts: 256,
            top_k: 8,
            expert_ffn: 2_048,
            dense_layers: 3,
            shared_experts: 1,
            dispatch_bytes: 1,
            ..dense(61, 7_168, 18_432, 128, 128, 129_280)
        },
    ),
];

impl Model {
    /// Its shape.
    pub fn shape(&self) -> Shape {
        match self {
            Self::Shaped(shape) => *shape,
            Self::Named(name) => {
                let known = BUILT_IN.iter().find(|(known, _)| known == name);
                known.expect("a name is one of those that are built in").1
            }
        }
    }
}

impl Shape {
    /// Refuses shapes that are none.
    pub fn check(&self) -> Result<(), InputError> {
        let counts = [
            ("layers", self.layers),
            ("hidden", self.hidden),
            ("ffn", self.ffn),
            ("heads", self.heads),
            ("kv_heads", self.kv_heads),
            ("vocab", self.vocab),
        ];
        let of_experts = [("top_k", self.top_k), ("expert_ffn", self.expert_ffn)];
        let needed = counts.iter().chain(of_experts.iter().filter(|_| self.experts > 0));
        for &(key, count) in needed {
            if count == 0 {
                return Err(InputError::key(key, format!("`{key}` is 0")).help("it must be at least 1"));
            }
        }
        let largest = [self.experts, self.dense_layers, self.shared_experts]
            .into_iter()
            .chain(counts.map(|(_, n)| n));
        if let Some(count) = largest.chain([self.expert_ffn]).find(|&count| count > 1 << 24) {
            return Err(
                InputError::key("", format!("{count} is more than any model has")).help("at most 16777216 are counted")
            );
        }
        let divides = |key: &str, of: &str, parts: u64, all: u64| match all.is_multiple_of(parts) {
            true => Ok(()),
            false => Err(InputError::key(key, format!("{parts} does not divide {all}, `{of}`"))
                .help(format!("`{of}` must be a multiple of it"))),
        };
        divides("heads", "hidden", self.heads, self.hidden)?;
        divides("kv_heads", "heads", self.kv_heads, self.heads)?;
        if self.top_k > self.experts {
            return Err(InputError::key(
                "top_k",
                format!("a token goes to {} of {} experts", self.top_k, self.experts),
            )
            .help("it must be no more than `experts`"));
        }
        if self.dense_layers > self.layers {
            return Err(InputError::key(
                "dense_layers",
                format!("{} of {} layers are dense", self.dense_layers, self.layers),
            )
            .help("it must be no more than `layers`"));
        }
        Ok(())
    }

    /// Layers with experts.
    pub fn expert_layers(&self) -> f64 {
        if self.experts == 0 {
            0.0
        } else {
            (self.layers - self.dense_layers) as f64
        }
    }

    fn head_dim(&self) -> u64 {
        self.hidden / self.heads
    }

    /// Width of all keys, or all values.
    pub fn kv_width(&self) -> u64 {
        self.kv_heads * self.head_dim()
    }

    fn attention(&self) -> f64 {
        2.0 * (self.hidden * self.hidden) as f64 + 2.0 * (self.hidden * self.kv_width()) as f64
    }

    fn feed_forward(&self, width: u64) -> f64 {
        let matrices = if self.gated { 3.0 } else { 2.0 };
        matrices * self.hidden as f64 * width as f64
    }

    fn embeddings(&self) -> f64 {
        let matrices = if self.tied { 1.0 } else { 2.0 };
        matrices * self.vocab as f64 * self.hidden as f64
    }

    /// Parameters of all experts that tokens choose.
    pub fn expert_parameters(&self) -> f64 {
        self.expert_layers() * self.experts as f64 * self.feed_forward(self.expert_ffn)
    }

    /// All others.
    pub fn shared_parameters(&self) -> f64 {
        let dense = self.layers as f64 - self.expert_layers();
        let router = self.experts as f64 * self.hidden as f64;
        let of_experts = router + self.shared_experts as f64 * self.feed_forward(self.expert_ffn);
        self.layers as f64 * self.attention()
            + dense * self.feed_forward(self.ffn)
            + self.expert_layers() * of_experts
            + self.embeddings()
    }

    /// Floating-point operations of a forward pass per token in all matrices that it meets.
    pub fn matrix_operations(&self) -> f64 {
        let dense = self.layers as f64 - self.expert_layers();
        let chosen = (self.top_k + self.shared_experts) as f64 * self.feed_forward(self.expert_ffn);
        let met =
            self.layers as f64 * self.attention() + dense * self.feed_forward(self.ffn) + self.expert_layers() * chosen;
        2.0 * (met + (self.vocab * self.hidden) as f64)
    }

    /// The same of attention itself, which is causal, over a sequence.
    pub fn attention_operations(&self, sequence: u64) -> f64 {
        2.0 * self.layers as f64 * sequence as f64 * self.hidden as f64
    }
}

impl Serialize for Model {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(name) => serializer.serialize_str(name),
            Self::Shaped(shape) => shape.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Model {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Model;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a model or a table of its shape")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Model, E> {
                let known = BUILT_IN.iter().find(|(name, _)| *name == text);
                known.map(|(name, _)| Model::Named(name)).ok_or_else(|| {
                    let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
                    E::custom(format!(
                        "there is no model `{text}`; there are {}, or write a table",
                        names.join(", ")
                    ))
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Model, A::Error> {
                Shape::deserialize(MapAccessDeserializer::new(map)).map(Model::Shaped)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Model {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Model".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let shape = generator.subschema_for::<Shape>();
        let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        json_schema!({
            "description": "A model by its name, or its shape.",
            "anyOf": [{ "type": "string", "enum": names }, shape],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Billions of parameters as published.
    #[test]
    fn built_in_models_have_their_sizes() {
        for (name, billions, tolerance) in [
            ("gpt-3-175b", 174.58, 1e-3),
            ("llama-3-8b", 8.03, 1e-3),
            ("llama-3-70b", 70.55, 1e-3),
            ("llama-3-405b", 405.85, 1e-3),
            ("mixtral-8x7b", 46.7, 1e-3),
            // 671 with latent attention.
            ("deepseek-v3", 671.0, 0.02),
        ] {
            let (_, shape) = BUILT_IN.iter().find(|(known, _)| *known == name).unwrap();
            shape.check().unwrap();
            let all = (shape.expert_parameters() + shape.shared_parameters()) / 1e9;
            assert!((all / billions - 1.0).abs() < tolerance, "{name}: {all}");
        }
    }
}
