//! The order of operations: after what they wait for, otherwise as they are written.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::Op;
use crate::input::InputError;

/// The operations by index, each with those that it comes after.
///
/// # Errors
/// Names that are empty, given twice or not given at all, and operations that wait for themselves.
pub(super) fn in_order(ops: &[Op]) -> Result<Vec<(usize, Vec<usize>)>, InputError> {
    let after = by_index(ops)?;
    let mut waiting: Vec<usize> = after.iter().map(Vec::len).collect();
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); ops.len()];
    for (index, after) in after.iter().enumerate() {
        after.iter().for_each(|&first| before[first].push(index));
    }
    let mut free: BinaryHeap<_> = (0..ops.len()).filter(|&op| waiting[op] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(ops.len());
    while let Some(Reverse(op)) = free.pop() {
        order.push(op);
        for &next in &before[op] {
            waiting[next] -= 1;
            if waiting[next] == 0 {
                free.push(Reverse(next));
            }
        }
    }
    if order.len() < ops.len() {
        return Err(circle(ops, &after, &waiting));
    }
    Ok(order.into_iter().map(|op| (op, after[op].clone())).collect())
}

/// What each operation comes after, by index, each once.
fn by_index(ops: &[Op]) -> Result<Vec<Vec<usize>>, InputError> {
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (index, op) in ops.iter().enumerate() {
        let key = format!("ops.{index}.name");
        if op.name.is_empty() {
            return Err(InputError::key(key, "the name is empty").help("others call it by its name under `after`"));
        }
        if let Some(first) = known.insert(&op.name, index) {
            let message = format!("operation {first} (counted from 0) is called `{}` already", op.name);
            return Err(InputError::key(key, message).help("every operation has a name of its own"));
        }
    }
    let find = |index: usize, place: usize, name: &String| {
        known.get(name.as_str()).copied().ok_or_else(|| {
            let names: Vec<&str> = ops.iter().map(|op| op.name.as_str()).take(20).collect();
            InputError::key(
                format!("ops.{index}.after.{place}"),
                format!("no operation is called `{name}`"),
            )
            .help(format!("there are {}", names.join(", ")))
        })
    };
    let all = ops.iter().enumerate().map(|(index, op)| {
        let found = op
            .after
            .iter()
            .enumerate()
            .map(|(place, name)| find(index, place, name));
        let mut found = found.collect::<Result<Vec<usize>, _>>()?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    });
    all.collect()
}

/// The error for operations that wait for one another: `waiting` for so many that never come.
fn circle(ops: &[Op], after: &[Vec<usize>], waiting: &[usize]) -> InputError {
    // Whoever waits in vain waits for another that does: going back must end in a circle.
    let stuck = |&op: &usize| waiting[op] > 0;
    let mut op = (0..ops.len()).find(stuck).unwrap_or(0);
    let mut path = Vec::new();
    while !path.contains(&op) {
        path.push(op);
        op = after[op].iter().copied().find(stuck).unwrap_or(op);
    }
    path.drain(..path.iter().position(|&first| first == op).unwrap_or(0));
    let first = (0..path.len()).min_by_key(|&i| path[i]).unwrap_or(0);
    path.rotate_left(first);
    let others: Vec<String> = path[1..].iter().map(|&op| format!("`{}`", ops[op].name)).collect();
    let name = &ops[path[0]].name;
    let message = match others.as_slice() {
        [] => format!("`{name}` comes after itself"),
        others => format!("`{name}` comes after itself, by way of {}", others.join(", ")),
    };
    InputError::key(format!("ops.{}.after", path[0]), message).help("take one of these dependencies out")
}
