//! Which process of a run this one is, as its launcher says in the environment.

use std::time::Duration;

use super::Secret;

/// How long the processes wait for each other to come, unless `COOKC_TIMEOUT` says otherwise.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where rank 0 waits if nothing says so: one above the port that PyTorch's launchers take.
const PORT: u16 = 29_501;

/// The variable that holds the secret of all ranks of a run.
pub const SECRET: &str = "COOKC_SECRET";

/// A process's rank among all processes of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number among all, from 0.
    pub rank: usize,
    /// How many there are; at least 1.
    pub size: usize,
    /// Its number among those of its machine, from 0: the GPU that it takes.
    pub local_rank: usize,
    /// Host and port at which rank 0 waits for the others. One process alone has none.
    pub meeting: Option<(String, u16)>,
    /// How long they wait for each other to come.
    pub patience: Duration,
    /// What they prove to each other that they are of this run by.
    pub secret: Secret,
}

/// The variables that a launcher sets for each process.
struct Launcher {
    name: &'static str,
    rank: &'static str,
    /// The first of these that is set.
    size: [&'static str; 2],
    local_rank: &'static str,
    local_size: &'static str,
}

/// torchrun, Ray and `cookc run --processes`.
const TORCHRUN: Launcher = Launcher {
    name: "torchrun",
    rank: "RANK",
    size: ["WORLD_SIZE"; 2],
    local_rank: "LOCAL_RANK",
    local_size: "LOCAL_WORLD_SIZE",
};

/// OpenMPI's mpirun.
const OPEN_MPI: Launcher = Launcher {
    name: "mpirun",
    rank: "OMPI_COMM_WORLD_RANK",
    size: ["OMPI_COMM_WORLD_SIZE"; 2],
    local_rank: "OMPI_COMM_WORLD_LOCAL_RANK",
    local_size: "OMPI_COMM_WORLD_LOCAL_SIZE",
};

/// Slurm's srun, which tells of a machine's processes in another form.
const SLURM: Launcher = Launcher {
    name: "srun",
    rank: "SLURM_PROCID",
    size: ["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"],
    local_rank: "SLURM_LOCALID",
    local_size: "",
};

impl Place {
    /// The one process of a run that has no other.
    pub fn alone() -> Place {
        let secret = Secret::none();
        Place { rank: 0, size: 1, local_rank: 0, meeting: None, patience: PATIENCE, secret }
    }

    /// What the variables say; `variable` returns one's value, if it is set. The launcher that
    /// started this process last counts: torchrun inside of mpirun inside of a Slurm job. Half a
    /// place, and one that contradicts itself, is an error that names the variable.
    ///
    /// # Errors
    /// If a variable is missing, is no number, or contradicts another.
    pub fn from_environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Place, String> {
        let variables = Variables(variable);
        let started = |launcher: &&Launcher| variables.text(launcher.rank).is_some();
        let Some(launcher) = [&TORCHRUN, &OPEN_MPI, &SLURM].into_iter().find(started) else {
            return match variables.number("WORLD_SIZE")? {
                Some(size) if size > 1 => Err(half_set("WORLD_SIZE", TORCHRUN.rank)),
                _ => Ok(Place::alone()),
            };
        };
        let rank = variables.number(launcher.rank)?;
        let rank = rank.ok_or_else(|| format!("{} is not set", launcher.rank))?;
        let [first, second] = launcher.size;
        let size_name = if variables.text(first).is_some() { first } else { second };
        let size = variables.number(size_name)?;
        let size = size.ok_or_else(|| half_set(launcher.rank, size_name))?;
        let local_rank = variables.number(launcher.local_rank)?.unwrap_or(0);
        let local_size = variables.number(launcher.local_size)?;
        below(launcher.rank, rank, size_name, size)?;
        below(launcher.local_rank, local_rank, size_name, size)?;
        if let Some(local_size) = local_size {
            below(launcher.local_rank, local_rank, launcher.local_size, local_size)?;
        }
        match variables.number("WORLD_SIZE")? {
            Some(other) if other != size => {
                let name = launcher.name;
                return Err(format!(
                    "WORLD_SIZE is {other}, but {name} says {size_name}={size}: unset one"
                ));
            }
            _ => {}
        }
        if size == 1 {
            return Ok(Place::alone());
        }
        let host = host(launcher, &variables, local_size.is_none_or(|local| local < size))?;
        let meeting = Some((host, port(launcher, &variables)?));
        let (patience, secret) = (patience(&variables)?, secret(&variables)?);
        Ok(Place { rank, size, local_rank, meeting, patience, secret })
    }
}

/// What is asked of the environment; a variable that is empty is not set.
struct Variables<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|text| text.trim().to_string()).filter(|text| !text.is_empty())
    }

    fn number(&self, name: &str) -> Result<Option<usize>, String> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("{name} is an integer, and is `{text}`"))
    }
}

/// Where rank 0 runs. `may_be_far`: whether the launcher's counts allow for a second machine.
fn host(launcher: &Launcher, variables: &Variables, may_be_far: bool) -> Result<String, String> {
    if let Some(host) = variables.text("MASTER_ADDR") {
        return Ok(host);
    }
    let near = "127.0.0.1".to_string();
    let missing = Err(format!(
        "{} is set and MASTER_ADDR is not: set it to the host of rank 0, for all ranks",
        launcher.rank
    ));
    match launcher.name {
        "mpirun" if !may_be_far => Ok(near),
        "srun" => {
            let first = |names: &[&str]| names.iter().find_map(|name| variables.text(name));
            let nodes = first(&["SLURM_STEP_NUM_NODES", "SLURM_NNODES", "SLURM_JOB_NUM_NODES"]);
            if nodes.is_some_and(|nodes| nodes == "1") {
                return Ok(near);
            }
            // The launching node may be a login node, on which rank 0 does not run: so it is last.
            let list = first(&["SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST"]);
            let host = list.map(|list| first_host(&list));
            host.or_else(|| variables.text("SLURM_LAUNCH_NODE_IPADDR")).map_or(missing, Ok)
        }
        _ => missing,
    }
}

/// The port at which rank 0 waits.
fn port(launcher: &Launcher, variables: &Variables) -> Result<u16, String> {
    let of = |name: &str| -> Result<Option<u16>, String> {
        let number = variables.number(name)?;
        let fits = |number: usize| u16::try_from(number).ok().filter(|port| *port > 0);
        let wrong = |number| format!("{name} is a port from 1 to 65535, and is {number}");
        number.map(|number| fits(number).ok_or_else(|| wrong(number))).transpose()
    };
    if let Some(port) = of("COOKC_PORT")? {
        return Ok(port);
    }
    if let Some(port) = of("MASTER_PORT")? {
        // At MASTER_PORT itself torchrun's or Ray's own store listens.
        let above = port.checked_add(1);
        return above.ok_or_else(|| "MASTER_PORT is at most 65534, or set COOKC_PORT".to_string());
    }
    match launcher.name {
        "torchrun" => Err(half_set("RANK", "MASTER_PORT")),
        "srun" => {
            let job = variables.number("SLURM_JOB_ID")?;
            let step = variables.number("SLURM_STEP_ID")?.unwrap_or(0);
            Ok(job.map_or(PORT, |job| port_of_job(job.wrapping_add(step))))
        }
        _ => Ok(PORT),
    }
}

/// A port for one job, below those that Linux takes for outgoing connections.
fn port_of_job(job: usize) -> u16 {
    16_384 + (job % 16_384) as u16
}

fn patience(variables: &Variables) -> Result<Duration, String> {
    match variables.number("COOKC_TIMEOUT")? {
        Some(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds as u64)),
        Some(_) => Err("COOKC_TIMEOUT is from 1 to 86400 seconds".to_string()),
        None => Ok(PATIENCE),
    }
}

fn secret(variables: &Variables) -> Result<Secret, String> {
    variables.text(SECRET).map_or(Ok(Secret::none()), |text| Secret::new(&text))
}

/// The first host of Slurm's short form: `node003` of `node[003-010,12],gpu1`.
fn first_host(list: &str) -> String {
    let (mut host, mut rest) = (String::new(), list);
    while let Some(at) = rest.find(['[', ',']) {
        host += &rest[..at];
        if rest[at..].starts_with(',') {
            return host;
        }
        let inside = &rest[at + 1..];
        host += inside.split(['-', ',', ']']).next().unwrap_or_default();
        rest = inside.split_once(']').map_or("", |(_, rest)| rest);
    }
    host + rest
}

fn half_set(set: &str, missing: &str) -> String {
    format!("{set} is set and {missing} is not: a launcher such as torchrun sets both")
}

fn below(name: &str, number: usize, of: &str, count: usize) -> Result<(), String> {
    match number < count {
        true => Ok(()),
        false => Err(format!("{name} is {number}, but {of} is {count}: ranks count from 0")),
    }
}
