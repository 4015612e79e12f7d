//! The results of an experiment, read by a program: the worst link of every point that recorded its links.
//!
//! `cargo run --release -- run experiments/quickstart.toml`, then
//! `cargo run --release --example read_results -- results/quickstart`

use std::path::PathBuf;

use fabricsim::results::{Folder, LinkRow};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "results/quickstart".to_owned());
    let results = Folder::open(&PathBuf::from(folder))?;
    for point in &results.points {
        let row = &point.row;
        match row.cct_us {
            Some(cct) => print!("point {}: {}, {cct} us", row.point, row.load_balancing),
            None => print!("point {}: {}, not done", row.point, row.load_balancing),
        }
        let links: Vec<LinkRow> = results.detail(point, "links.csv")?.unwrap_or_default();
        let busiest = links
            .iter()
            .max_by(|a, b| a.utilisation.value().total_cmp(&b.utilisation.value()));
        match busiest {
            Some(link) => println!(
                ", busiest link {} ({:.0} %)",
                link.link,
                100.0 * link.utilisation.value()
            ),
            None => println!(),
        }
    }
    Ok(())
}
