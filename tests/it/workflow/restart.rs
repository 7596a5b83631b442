//! The process ends between two lines, and a new one goes on from its disk.

use std::path::PathBuf;
use std::time::Duration;

use berth_local::disk::Disk;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tests::{World, WorldOptions};

/// A folder that goes away with the test.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("berth-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Lives in a runtime of its own for as long as `life` takes, then vanishes with everything that was still running in it, as after
/// `kill -9`.
pub(super) fn live<Life: Future>(
    folder: &Folder,
    options: WorldOptions,
    life: impl FnOnce(World) -> Life,
) -> Life::Output {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let disk = Some(Disk::open(&folder.0).expect("a disk"));
        life(World::with(WorldOptions { disk, ..options }).await).await
    })
}

#[test]
fn a_killed_process_goes_on_after_its_restart_with_one_of_each_resource() {
    let first = Timestamp::constant(1_800_000_000, 0);
    for seconds in (0..420).step_by(29) {
        let folder = Folder::new(&format!("killed-{seconds}"));
        let id = live(&folder, WorldOptions { origin: first, ..Default::default() }, |world| async move {
            let id = world.create("survivor", "hello").await;
            world.system.clock.sleep(Duration::from_secs(seconds)).await;
            id
        });
        let second = first + SignedDuration::from_secs(i64::try_from(seconds).expect("small") + 10);
        let options = WorldOptions { origin: second, ..Default::default() };
        let (environment, inventory, reached): (Value, _, _) = live(&folder, options, |world| async move {
            let environment = world.settled(&id).await;
            // A task's process is new after the restart; its health is soon found out.
            world.system.clock.sleep(Duration::from_secs(60)).await;
            let reached = world.reach(&environment, "/").await;
            (environment, world.inventory().await, reached)
        });
        assert_eq!(environment["status"], "ready", "killed after {seconds} s: {environment:#}");
        assert!(inventory.is_each(1), "killed after {seconds} s: {inventory}");
        assert_eq!(reached.0, 200, "killed after {seconds} s: {}", reached.1);
    }
}

#[test]
fn a_second_process_on_the_same_folder_is_refused() {
    let folder = Folder::new("shared");
    let _first = Disk::open(&folder.0).expect("a disk");
    let refusal = Disk::open(&folder.0).err().expect("a refusal");
    assert!(refusal.contains("in use by another berth-local"), "{refusal}");
}
