//! The tensors that a model consists of, by Hugging Face's names.

use super::config::{AttentionKind, FeedForwardKind, ModelConfig, NormKind, Position};

impl ModelConfig {
    /// Name and shape of every tensor of a checkpoint of this model, bottom up. Weights are
    /// `[output, input]`, GPT-2's `[input, output]`; a tied head is the embedding and not listed.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        self.tensors_with(usize::MAX)
    }

    /// The same with at most `experts` of each layer's routed experts.
    pub(super) fn tensors_with(&self, experts: usize) -> Vec<(String, Vec<usize>)> {
        let names = self.family.names();
        let (d, v) = (self.hidden_size, self.vocab_size);
        let mut list = vec![(format!("{}.weight", names.embedding), vec![v, d])];
        if let Position::Learned = self.position {
            let shape = vec![self.max_position_embeddings, d];
            list.push((format!("{}.weight", names.positions), shape));
        }
        if self.embedding_norm {
            self.norm_tensors(names.embedding_norm, &mut list);
        }
        for layer in 0..self.num_hidden_layers {
            self.layer_tensors(layer, experts, &mut list);
        }
        if self.final_norm {
            self.norm_tensors(names.final_norm, &mut list);
        }
        if !self.tie_word_embeddings {
            list.push((format!("{}.weight", names.head), vec![v, d]));
        }
        list
    }

    fn norm_tensors(&self, name: &str, list: &mut Vec<(String, Vec<usize>)>) {
        list.push((format!("{name}.weight"), vec![self.hidden_size]));
        if self.norm == NormKind::Layer {
            list.push((format!("{name}.bias"), vec![self.hidden_size]));
        }
    }

    fn layer_tensors(&self, layer: usize, at_most: usize, list: &mut Vec<(String, Vec<usize>)>) {
        let names = self.family.names();
        let name = |part: &str| format!("{}{layer}.{part}", names.layers);
        for module in self.modules(layer) {
            let (output, input) = (module.output, module.input);
            let shape = if module.conv1d { vec![input, output] } else { vec![output, input] };
            list.push((format!("{}.weight", name(module.path)), shape));
            if module.bias {
                list.push((format!("{}.bias", name(module.path)), vec![output]));
            }
        }
        self.norm_tensors(&name(names.input_norm), list);
        self.norm_tensors(&name(names.feed_forward_norm), list);
        if self.output_norms {
            self.norm_tensors(&name(names.attention_output_norm), list);
            self.norm_tensors(&name(names.feed_forward_output_norm), list);
        }
        let mut vector = |part: &str, width: usize| list.push((name(part), vec![width]));
        if self.qk_norm {
            for part in [names.query_norm, names.key_norm] {
                vector(&format!("{part}.weight"), self.head_dim);
            }
        }
        if let AttentionKind::Latent(latent) = self.attention_kind(layer) {
            if let Some(rank) = latent.query_rank {
                vector("self_attn.q_a_layernorm.weight", rank);
            }
            vector("self_attn.kv_a_layernorm.weight", latent.sizes.latent);
        }
        if let (FeedForwardKind::Experts, Some(experts)) =
            (self.feed_forward_kind(layer), &self.experts)
        {
            let (n, d, f) = (experts.routing.experts, self.hidden_size, experts.intermediate_size);
            list.push((name("mlp.gate.weight"), vec![n, d]));
            if experts.choice_bias {
                list.push((name("mlp.gate.e_score_correction_bias"), vec![n]));
            }
            for e in 0..n.min(at_most) {
                for (part, shape) in
                    [("gate_proj", [f, d]), ("up_proj", [f, d]), ("down_proj", [d, f])]
                {
                    list.push((name(&format!("mlp.experts.{e}.{part}.weight")), shape.to_vec()));
                }
            }
        }
    }
}
