"""ChatGLM 2 and 3 in plain torch, for the golden files: transformers itself has no `chatglm`.

Written from the architecture's description, with the parameter names of the published checkpoints:
RMS normalisation, one query_key_value projection (all queries, then the keys and values of
`multi_query_group_num` groups) with a bias, rotary embedding of the first half of each head on
neighbouring pairs, and a feed-forward whose first projection gives gate and up together.
"""

import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.generation import GenerationMixin
from transformers.modeling_outputs import CausalLMOutput

# Rotary angles are float32 by definition, whatever the rest is computed in (float64.py).
ANGLES = torch.float32


class ChatGLMConfig(PreTrainedConfig):
    model_type = "chatglm"

    def __init__(self, **kwargs):
        self.vocab_size = kwargs.get("padded_vocab_size", 64)
        super().__init__(**kwargs)


class RMSNorm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


def make_norm(config):
    if config.rmsnorm:
        return RMSNorm(config.hidden_size, config.layernorm_epsilon)
    return nn.LayerNorm(config.hidden_size, eps=config.layernorm_epsilon)


def turn(x, theta):
    """x: [batch, time, heads, dim]; turns pairs (2 i, 2 i + 1) of the first half of the dims."""
    rotary = x.shape[-1] // 2
    place = torch.arange(x.shape[1], dtype=ANGLES)
    frequency = 1.0 / theta ** (torch.arange(0, rotary, 2, dtype=ANGLES) / rotary)
    angle = place[:, None] * frequency[None, :]
    cos, sin = angle.cos()[None, :, None, :], angle.sin()[None, :, None, :]
    even, odd = x[..., 0:rotary:2], x[..., 1:rotary:2]
    turned = torch.stack((even * cos - odd * sin, odd * cos + even * sin), dim=-1)
    return torch.cat((turned.flatten(-2), x[..., rotary:]), dim=-1)


class SelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads, self.dim = config.num_attention_heads, config.kv_channels
        self.grouped = config.multi_query_attention
        self.groups = config.multi_query_group_num if self.grouped else self.heads
        self.theta = 10000.0 * config.rope_ratio
        width = (self.heads + 2 * self.groups) * self.dim
        bias = config.add_bias_linear
        self.query_key_value = nn.Linear(config.hidden_size, width, bias=bias or config.add_qkv_bias)
        self.dense = nn.Linear(self.heads * self.dim, config.hidden_size, bias=bias)

    def forward(self, x, mask):
        batch, time, _ = x.shape
        fused = self.query_key_value(x)
        if self.grouped:
            sizes = [self.heads * self.dim, self.groups * self.dim, self.groups * self.dim]
            q, k, v = (p.view(batch, time, -1, self.dim) for p in fused.split(sizes, dim=-1))
        else:
            q, k, v = fused.view(batch, time, self.heads, 3 * self.dim).chunk(3, dim=-1)
        q, k = turn(q, self.theta), turn(k, self.theta)
        k = k.repeat_interleave(self.heads // self.groups, dim=2)
        v = v.repeat_interleave(self.heads // self.groups, dim=2)
        scores = torch.einsum("bihd,bjhd->bhij", q, k) / self.dim**0.5
        weights = scores.masked_fill(~mask, float("-inf")).softmax(-1)
        return self.dense(torch.einsum("bhij,bjhd->bihd", weights, v).flatten(2))


class MLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        d, f, bias = config.hidden_size, config.ffn_hidden_size, config.add_bias_linear
        self.dense_h_to_4h = nn.Linear(d, 2 * f, bias=bias)
        self.dense_4h_to_h = nn.Linear(f, d, bias=bias)

    def forward(self, x):
        gate, up = self.dense_h_to_4h(x).chunk(2, dim=-1)
        return self.dense_4h_to_h(nn.functional.silu(gate) * up)


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.input_layernorm = make_norm(config)
        self.self_attention = SelfAttention(config)
        self.post_attention_layernorm = make_norm(config)
        self.mlp = MLP(config)
        self.after_norm = config.apply_residual_connection_post_layernorm

    def forward(self, x, mask):
        normed = self.input_layernorm(x)
        x = (normed if self.after_norm else x) + self.self_attention(normed, mask)
        normed = self.post_attention_layernorm(x)
        return (normed if self.after_norm else x) + self.mlp(normed)


class Encoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_layers))
        self.final_layernorm = make_norm(config)


class Embedding(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.word_embeddings = nn.Embedding(config.padded_vocab_size, config.hidden_size)


class Transformer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embedding = Embedding(config)
        self.encoder = Encoder(config)
        self.output_layer = nn.Linear(config.hidden_size, config.padded_vocab_size, bias=False)


class ChatGLMForConditionalGeneration(PreTrainedModel, GenerationMixin):
    config_class = ChatGLMConfig
    base_model_prefix = "transformer"

    def __init__(self, config):
        super().__init__(config)
        self.transformer = Transformer(config)
        self.post_init()

    def _init_weights(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            module.weight.data.normal_(0.0, self.config.initializer_range)

    def get_output_embeddings(self):
        return self.transformer.output_layer

    def forward(self, input_ids, attention_mask=None, **_):
        time = input_ids.shape[1]
        mask = torch.ones(time, time, dtype=torch.bool).tril()[None, None]
        x = self.transformer.embedding.word_embeddings(input_ids)
        for layer in self.transformer.encoder.layers:
            x = layer(x, mask)
        x = self.transformer.encoder.final_layernorm(x)
        return CausalLMOutput(logits=self.transformer.output_layer(x))
