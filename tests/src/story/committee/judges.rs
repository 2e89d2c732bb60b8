//! What happens beside the rest of the story: a call, two draws, sealed votes and a challenge. Everybody acts
//! through the command line, whenever the chain says that it waits for them.

use super::{out_of_time, LIMIT, SCORE};
use crate::{
    cli::{list, number, plancks, text, Actor, Cli},
    interrupt::sleep,
    story::{must, submit},
    Error, Result,
};
use serde_json::Value;
use std::{
    path::PathBuf,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Mutex, MutexGuard, PoisonError,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Between two looks at the draws.
const EVERY: Duration = Duration::from_millis(1_000);
/// The file that is challenged, by its place in the call.
const CHALLENGED: &str = "1";

/// Who takes part, and with what.
pub(super) struct Court {
    pub(super) cli: Arc<Cli>,
    /// Held while commands are on their way.
    pub(super) calm: Arc<Mutex<()>>,
    pub(super) datanet: u64,
    pub(super) files: Vec<PathBuf>,
    /// What is paid into the reward pool, and what it releases in a period.
    pub(super) funding: [String; 2],
    pub(super) cleo: Actor,
    pub(super) mia: Actor,
    /// With their addresses.
    pub(super) reviewers: Vec<(Actor, String)>,
}

/// What became of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    pub(super) datanet: u64,
    pub(super) submissions: Vec<u64>,
    pub(super) draw: u64,
    pub(super) members: Vec<&'static str>,
    pub(super) challenger: &'static str,
    pub(super) larger_draw: u64,
    pub(super) larger: Vec<&'static str>,
}

/// All of them at work.
#[derive(Debug)]
pub(in crate::story) struct Judges {
    thread: JoinHandle<Result<Judged>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Nobody waits for the outcome any more.
    left: AtomicBool,
    says: Mutex<String>,
}

impl Judges {
    pub(super) fn start(court: Court) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::spawn(move || court.play(&theirs));
        Self { thread, shared }
    }

    pub(super) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Where they are, in words.
    pub(super) fn says(&self) -> String {
        lock(&self.shared.says).clone()
    }

    pub(super) fn join(self) -> Result<Judged> {
        let joined = self.thread.join();
        joined.unwrap_or_else(|_| Err(Error::broken("the story", "one of its threads panicked")))
    }

    /// Lets them go home: the network is about to stop.
    pub(in crate::story) fn leave(&self) {
        self.shared.left.store(true, Ordering::SeqCst);
    }
}

impl Court {
    fn play(&self, shared: &Shared) -> Result<Judged> {
        let began = Instant::now();
        let mut judged = self.submit()?;
        let mut last = None;
        while began.elapsed() < LIMIT {
            if shared.left.load(Ordering::SeqCst) {
                return Err(Error::Interrupted);
            }
            match self.look(&mut judged, shared) {
                Ok(true) => return Ok(judged),
                Ok(false) => last = None,
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                // The node may be down for a moment: what was not done is done at the next look.
                Err(error) => last = Some(error),
            }
            sleep(EVERY)?;
        }
        let said = lock(&shared.says).clone();
        Err(out_of_time(&said, last))
    }

    /// Cleo's call, and then Mia's pool.
    fn submit(&self) -> Result<Judged> {
        let _calm = lock(&self.calm);
        let datanet = self.datanet.to_string();
        let sent = self.cli.run(&self.cleo, &submit(&datanet, &self.files))?;
        must(plancks(&sent, "/fee")? == 0, || format!("Cleo's submission cost a fee: {sent}"))?;
        let submissions = list(&sent, "/submissions")?
            .iter()
            .map(|submission| number(submission, "/submission"))
            .collect::<Result<Vec<_>>>()?;
        let [amount, per_period] = &self.funding;
        let terms = ["--per-period", per_period, "--max-per-point", "100000000000000"];
        let set = ["rewards", "terms", "--datanet", &datanet];
        self.cli.run(&self.mia, &[&set[..], &terms[..]].concat())?;
        let fund = ["rewards", "fund", "--datanet", &datanet, "--amount", amount];
        self.cli.run(&self.mia, &[&fund[..], &terms[..]].concat())?;
        Ok(Judged { datanet: self.datanet, submissions, ..Judged::default() })
    }

    /// Does what the draws wait for; whether all of them are over.
    fn look(&self, judged: &mut Judged, shared: &Shared) -> Result<bool> {
        let _calm = lock(&self.calm);
        let listed = self.cli.run(&self.mia, &["review", "draws"])?;
        let mut waiting = 0;
        for draw in list(&listed, "/draws")? {
            if number(draw, "/datanet")? == self.datanet {
                waiting += 1;
                self.serve(judged, draw, shared)?;
            }
        }
        Ok(waiting == 0 && !judged.challenger.is_empty())
    }

    fn serve(&self, judged: &mut Judged, draw: &Value, shared: &Shared) -> Result<()> {
        let id = number(draw, "/draw")?;
        let (number, phase) = (id.to_string(), text(draw, "/phase")?);
        let of_challenge = draw["challenge"] == Value::Bool(true);
        *lock(&shared.says) = format!("draw {id}: {phase}");
        let everybody = self.members(draw, None)?;
        if !everybody.is_empty() {
            let names = everybody.iter().map(|member| member.name).collect();
            match of_challenge {
                true => (judged.larger_draw, judged.larger) = (id, names),
                false => (judged.draw, judged.members) = (id, names),
            }
        }
        let score = SCORE.to_string();
        let policy = ["review", "run", "--once", "--score", &score];
        let words = ["review", "commit", &number, "--reject", "0:off-topic"];
        let all = |progress, command: &[&str]| {
            let members = self.members(draw, Some(progress))?;
            at_once(members, |member| self.cli.run(member, command).map(drop))
        };
        match phase.split_whitespace().next() {
            // The first five leave it to a program; whoever judges a challenge has read the file.
            Some("commit") if of_challenge => all("drawn", &words),
            Some("reveal") if of_challenge => all("committed", &["review", "reveal", &number]),
            Some("commit") => all("drawn", &policy),
            Some("reveal") => all("committed", &policy),
            Some("challenge") if judged.challenger.is_empty() => {
                let mut others = self.reviewers.iter().map(|(one, _)| one);
                let one = others.find(|one| !judged.members.contains(&one.name));
                let Some(one) = one else { return Ok(()) };
                let challenge = ["review", "challenge", &number, "--file", CHALLENGED];
                self.cli.run(one, &challenge)?;
                judged.challenger = one.name;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The members of a draw, or those who have come so far.
    fn members(&self, draw: &Value, progress: Option<&str>) -> Result<Vec<&Actor>> {
        let mut found = Vec::new();
        for member in list(draw, "/members")? {
            if progress.is_some_and(|progress| member["progress"] != progress) {
                continue;
            }
            let address = text(member, "/account")?;
            let known = self.reviewers.iter().find(|(_, known)| *known == address);
            let (known, _) = known.ok_or_else(|| {
                Error::broken("the draw", format!("{address} has no seat, and is drawn: {draw}"))
            })?;
            found.push(known);
        }
        Ok(found)
    }
}

/// Does something for each at the same time; the first failure, after all are done.
pub(super) fn at_once<T: Send>(each: Vec<T>, act: impl Fn(T) -> Result<()> + Sync) -> Result<()> {
    let act = &act;
    std::thread::scope(|scope| {
        let threads: Vec<_> = each.into_iter().map(|one| scope.spawn(move || act(one))).collect();
        let done: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        done.into_iter().try_for_each(|one| {
            one.unwrap_or_else(|_| Err(Error::broken("the story", "one of its threads panicked")))
        })
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
