//! Puts calls into a template's source that charge what its expressions make to the budget.
//!
//! Whatever makes text or lists is covered: `+`, `~` and `*`, slices and literals by a call around
//! the expression, loops by a call around what they iterate over (it charges the plain text of the
//! body for every round, also where it is captured), filters and methods by being replaced, and
//! printed values by the formatter.

use super::python::Budget;
use super::{fault, syntax};
use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use minijinja::machinery::{parse, tokenize, Token};
use minijinja::{Environment, Error, Value};
use std::sync::Arc;

/// Tokens within one pair of braces: expressions are compiled recursively.
const MAX_TAG: usize = 1024;
/// `elif` branches: each nests in the one before it.
const MAX_ELIF: usize = 128;
/// Elements that a loop may have.
const MAX_ROUNDS: u64 = 1 << 20;

const MADE: &str = "__made";
const TEXT: &str = "__text";
const EACH: &str = "__each";

/// The functions that the guarded source calls.
pub(super) fn install(env: &mut Environment<'_>, budget: &Arc<Budget>) {
    let b = budget.clone();
    env.add_function(MADE, move |value: Value| {
        b.charge_value(&value)?;
        Ok::<_, Error>(value)
    });
    let b = budget.clone();
    env.add_function(TEXT, move |value: Value| b.text(&value));
    let b = budget.clone();
    env.add_function(EACH, move |value: Value, plain: u64| {
        let (rounds, value) = match value.len() {
            Some(len) => (len as u64, value),
            None if value.is_undefined() || value.is_none() => return Ok(value),
            None => {
                let mut list = Vec::new();
                for item in value.try_iter()? {
                    b.charge(32)?;
                    list.push(item);
                }
                (list.len() as u64, Value::from(list))
            }
        };
        if rounds > MAX_ROUNDS {
            return Err(fault(format!("a loop has {rounds} rounds, at most {MAX_ROUNDS}")));
        }
        b.charge(rounds * plain)?;
        Ok(value)
    });
}

/// transformers marks what the assistant says by a tag of its own, which renders as its content.
fn without_generation_tags(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("{%") {
        let (before, tag) = rest.split_at(at + 2);
        out.push_str(before);
        let trimmed = tag.trim_start_matches(['-', '+']);
        let word = trimmed.trim_start();
        let skipped = tag.len() - word.len();
        let found = [("generation", "if true"), ("endgeneration", "endif")].into_iter().find(
            |(name, _)| {
                word.strip_prefix(name).is_some_and(|rest| {
                    rest.trim_start().trim_start_matches(['-', '+']).starts_with("%}")
                })
            },
        );
        rest = match found {
            Some((name, instead)) => {
                out.push_str(&tag[..skipped]);
                out.push_str(instead);
                &word[name.len()..]
            }
            None => tag,
        };
    }
    out.push_str(rest);
    out
}

/// The source with the calls in it, refused where it uses what chat templates do not.
pub(super) fn guard(source: &str) -> Result<String, Error> {
    let source = without_generation_tags(source);
    for name in [MADE, TEXT, EACH] {
        if source.contains(name) {
            return Err(fault(format!("the name {name} is reserved")));
        }
    }
    let (mut in_tag, mut branches) = (0, 0);
    for token in tokenize(&source, false, syntax()?) {
        match token?.0 {
            Token::VariableStart | Token::BlockStart => in_tag = 0,
            Token::TemplateData(_) => {}
            token => {
                in_tag += 1;
                branches += usize::from(matches!(token, Token::Ident("elif")));
                if in_tag > MAX_TAG || branches > MAX_ELIF {
                    return Err(fault(format!(
                        "at most {MAX_TAG} words within braces and {MAX_ELIF} elif are accepted"
                    )));
                }
            }
        }
    }
    let mut walk = Walk { source: &source, inserts: Vec::new() };
    walk.statement(&parse(&source, "<chat template>", syntax()?)?)?;
    // What ends at a place comes before what begins there, and of several calls at one place the
    // inner one, which was found first, ends first and begins last.
    let mut inserts: Vec<_> = walk.inserts.into_iter().enumerate().collect();
    inserts.sort_by_key(|(i, insert)| {
        let order = if insert.begins { usize::MAX - i } else { *i };
        (insert.at, insert.begins, order)
    });
    let mut out = String::with_capacity(source.len() * 2);
    let mut from = 0;
    for (_, insert) in inserts {
        let piece = source.get(from..insert.at).ok_or_else(|| fault("a part has no place"))?;
        out.push_str(piece);
        out.push_str(&insert.text);
        from = insert.at;
    }
    out.push_str(source.get(from..).unwrap_or_default());
    // The calls must not have changed what the template says.
    parse(&out, "<chat template>", syntax()?)?;
    Ok(out)
}

/// A text to put into the source.
struct Insert {
    at: usize,
    /// Whether a call begins here or ends.
    begins: bool,
    text: String,
}

struct Walk<'s> {
    source: &'s str,
    inserts: Vec<Insert>,
}

impl Walk<'_> {
    fn around(&mut self, expression: &Expr<'_>, function: &str, more: &str) {
        let end = expression.span().end_offset as usize;
        let at = self.with_parentheses(start(expression), end);
        self.inserts.push(Insert { at, begins: true, text: format!("{function}((") });
        self.inserts.push(Insert { at: end, begins: false, text: format!("){more})") });
    }

    /// An expression such as `(a + b).strip()` begins at `a` for the parser: moves its start before
    /// the parentheses that close within it.
    fn with_parentheses(&self, start: usize, end: usize) -> usize {
        let (mut depth, mut unopened) = (0usize, 0usize);
        let mut quote = None;
        let mut escaped = false;
        for c in self.source.get(start..end).unwrap_or_default().chars() {
            match quote {
                Some(_) if escaped => escaped = false,
                Some(_) if c == '\\' => escaped = true,
                Some(q) if c == q => quote = None,
                Some(_) => {}
                None => match c {
                    '"' | '\'' => quote = Some(c),
                    '(' => depth += 1,
                    ')' if depth > 0 => depth -= 1,
                    ')' => unopened += 1,
                    _ => {}
                },
            }
        }
        let mut before = self.source.get(..start).unwrap_or_default();
        let mut at = start;
        for _ in 0..unopened {
            match before.trim_end().strip_suffix('(') {
                Some(rest) => (at, before) = (rest.len(), rest),
                None => break,
            }
        }
        at
    }

    fn statements(&mut self, list: &[Stmt<'_>]) -> Result<(), Error> {
        list.iter().try_for_each(|s| self.statement(s))
    }

    fn statement(&mut self, statement: &Stmt<'_>) -> Result<(), Error> {
        match statement {
            Stmt::Template(t) => self.statements(&t.children),
            Stmt::EmitExpr(e) => self.expression(&e.expr),
            Stmt::EmitRaw(_) | Stmt::Continue(_) | Stmt::Break(_) => Ok(()),
            Stmt::ForLoop(l) => {
                self.expression(&l.iter)?;
                self.around(&l.iter, EACH, &format!(", {}", plain(&l.body) + 1));
                if let Some(filter) = &l.filter_expr {
                    self.expression(filter)?;
                }
                self.statements(&l.body)?;
                self.statements(&l.else_body)
            }
            Stmt::IfCond(c) => {
                self.expression(&c.expr)?;
                self.statements(&c.true_body)?;
                self.statements(&c.false_body)
            }
            Stmt::WithBlock(w) => {
                w.assignments.iter().try_for_each(|(_, value)| self.expression(value))?;
                self.statements(&w.body)
            }
            Stmt::Set(s) => self.expression(&s.expr),
            Stmt::SetBlock(s) if s.filter.is_none() => self.statements(&s.body),
            Stmt::Macro(m) => {
                m.defaults.iter().try_for_each(|d| self.expression(d))?;
                self.statements(&m.body)
            }
            Stmt::Do(d) => {
                self.expression(&d.call.expr)?;
                self.arguments(&d.call.args)
            }
            _ => Err(fault(
                "include, import, extends, block, filter, call and autoescape are not supported in chat templates",
            )),
        }
    }

    fn arguments(&mut self, args: &[CallArg<'_>]) -> Result<(), Error> {
        args.iter().try_for_each(|arg| match arg {
            CallArg::Pos(e)
            | CallArg::Kwarg(_, e)
            | CallArg::PosSplat(e)
            | CallArg::KwargSplat(e) => self.expression(e),
        })
    }

    fn expression(&mut self, expression: &Expr<'_>) -> Result<(), Error> {
        match expression {
            Expr::Var(_) | Expr::Const(_) => Ok(()),
            Expr::Slice(s) => {
                self.expression(&s.expr)?;
                for part in [&s.start, &s.stop, &s.step].into_iter().flatten() {
                    self.expression(part)?;
                }
                self.around(expression, MADE, "");
                Ok(())
            }
            Expr::UnaryOp(u) => self.expression(&u.expr),
            Expr::BinOp(b) => {
                self.expression(&b.left)?;
                self.expression(&b.right)?;
                match b.op {
                    BinOpKind::Concat => {
                        self.around(&b.left, TEXT, "");
                        self.around(&b.right, TEXT, "");
                        self.around(expression, MADE, "");
                    }
                    // Folded while the template is compiled, before anything is charged.
                    BinOpKind::Mul
                        if constant(&b.left)
                            && constant(&b.right)
                            && (texts(&b.left) || texts(&b.right)) =>
                    {
                        return Err(fault("a text is multiplied by a constant"));
                    }
                    BinOpKind::Add | BinOpKind::Mul => self.around(expression, MADE, ""),
                    _ => {}
                }
                Ok(())
            }
            Expr::Compare(c) => {
                self.expression(&c.expr)?;
                c.ops.iter().try_for_each(|op| self.expression(&op.expr))
            }
            Expr::IfExpr(i) => {
                self.expression(&i.test_expr)?;
                self.expression(&i.true_expr)?;
                i.false_expr.iter().try_for_each(|e| self.expression(e))
            }
            Expr::Filter(f) => {
                f.expr.iter().try_for_each(|e| self.expression(e))?;
                self.arguments(&f.args)
            }
            Expr::Test(t) => {
                self.expression(&t.expr)?;
                self.arguments(&t.args)
            }
            Expr::GetAttr(g) => self.expression(&g.expr),
            Expr::GetItem(g) => {
                self.expression(&g.expr)?;
                self.expression(&g.subscript_expr)
            }
            Expr::Call(c) => {
                self.expression(&c.expr)?;
                self.arguments(&c.args)
            }
            Expr::List(l) => self.literal(expression, &l.items),
            Expr::Tuple(t) => self.literal(expression, &t.items),
            Expr::Map(m) => {
                m.keys.iter().chain(&m.values).try_for_each(|e| self.expression(e))?;
                if !constant(expression) {
                    self.around(expression, MADE, "");
                }
                Ok(())
            }
        }
    }

    fn literal(&mut self, expression: &Expr<'_>, items: &[Expr<'_>]) -> Result<(), Error> {
        items.iter().try_for_each(|e| self.expression(e))?;
        if !constant(expression) {
            self.around(expression, MADE, "");
        }
        Ok(())
    }
}

/// Where an expression begins: the parser places filters, tests and what follows a dot or a
/// bracket at their own names.
fn start(expression: &Expr<'_>) -> usize {
    match expression {
        Expr::Filter(f) => f.expr.as_ref().map(start),
        Expr::Test(t) => Some(start(&t.expr)),
        Expr::GetAttr(g) => Some(start(&g.expr)),
        Expr::GetItem(g) => Some(start(&g.expr)),
        Expr::Slice(s) => Some(start(&s.expr)),
        Expr::Call(c) => Some(start(&c.expr)),
        _ => None,
    }
    .unwrap_or(expression.span().start_offset as usize)
}

/// Bytes of plain text that one round of a loop's body writes, inner loops left out: they are
/// charged themselves.
fn plain(body: &[Stmt<'_>]) -> usize {
    body.iter()
        .map(|statement| match statement {
            Stmt::EmitRaw(r) => r.raw.len(),
            Stmt::ForLoop(l) => plain(&l.else_body),
            Stmt::IfCond(c) => plain(&c.true_body).max(plain(&c.false_body)),
            Stmt::WithBlock(w) => plain(&w.body),
            Stmt::SetBlock(s) => plain(&s.body),
            _ => 0,
        })
        .sum()
}

/// Whether an expression consists of constants only.
fn constant(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::Const(_) => true,
        Expr::UnaryOp(u) => constant(&u.expr),
        Expr::BinOp(b) => constant(&b.left) && constant(&b.right),
        Expr::Compare(c) => constant(&c.expr) && c.ops.iter().all(|op| constant(&op.expr)),
        Expr::List(l) => l.items.iter().all(constant),
        Expr::Tuple(t) => t.items.iter().all(constant),
        Expr::Map(m) => m.keys.iter().chain(&m.values).all(constant),
        _ => false,
    }
}

/// Whether a constant expression holds text or a list anywhere.
fn texts(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::Const(c) => c.value.as_str().is_some(),
        Expr::UnaryOp(u) => texts(&u.expr),
        Expr::BinOp(b) => texts(&b.left) || texts(&b.right),
        Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) => true,
        _ => false,
    }
}
