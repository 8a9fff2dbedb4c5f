//! Rows of figures beside what is wanted of them.

/// What a figure must reach, and what it should.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) floor: f64,
    pub(crate) goal: f64,
}

/// A name in the first column.
pub(crate) fn row(name: &str, figure: f64, unit: &str) {
    println!("{name:<48} {figure:>12.1} {unit}");
}

/// How much of floor and goal is reached: of a rate more is better, of a size less.
pub(crate) fn row_wanted(name: &str, figure: f64, unit: &str, Wanted { floor, goal }: Wanted) {
    let (of_floor, of_goal) =
        if floor > goal { (floor / figure, goal / figure) } else { (figure / floor, figure / goal) };
    println!("{name:<48} {figure:>12.1} {unit:<10} {of_floor:>5.2} x floor {of_goal:>5.2} x goal");
}
