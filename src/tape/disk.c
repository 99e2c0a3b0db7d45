/* disk: the newest iterates in memory, as many as the budget holds, the older ones in one file a rank. A
   thread writes them while the solve goes on, and reads them back ahead of the reverse sweep: it does nothing
   else, so that MPI and PETSc need know nothing of it.

   Piece p (one w) has the buffer p mod m of m. While recording, the thread writes pieces 0, 1, ..., and keeps
   some buffers ahead of the solve clean; piece p may be put in its buffer once piece p - m is in the file. On
   the way back piece p - m is read into that buffer once piece p is released. So the last m - `ahead` pieces
   never touch the disk.

   The file has no name from its creation on: it goes with the last process that has it open, however that
   ends. Errors of the thread are kept until all ranks agree on them, in a push or a get.

   Transfers go through the system's cache, or past it (O_DIRECT), which saves that memory and a copy; pieces
   then begin at multiples of a page, in memory and in the file. */
#define _GNU_SOURCE /* O_DIRECT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <twofold/impl/tapeimpl.h>

typedef struct {
  char path[PETSC_MAX_PATH_LEN]; /* that the file had */
  int fd;
  size_t bytes;        /* of a piece */
  char **buffer;       /* made as they are needed */
  PetscInt made, most; /* buffers there are, and that the budget holds */
  PetscInt ahead;      /* kept clean for the solve */
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed; /* anything below, which is under the lock */
  PetscBool running, quit;
  PetscBool busy, reading;
  PetscInt pushed;  /* pieces 0, ..., pushed - 1 are recorded */
  PetscInt written; /* 0, ..., written - 1 are in the file */
  PetscInt lowest;  /* on the way back: lowest, ..., limit - 1 are in memory, those from limit on released */
  PetscInt limit;
  int error; /* errno; no transfers any more */
} Disk;

/* ------------------------------------------------------------------ the thread */

/* The next piece to move, or -1. */
static PetscInt NextPiece(const Disk *d)
{
  if (d->error) return -1;
  if (d->reading) return d->lowest > 0 && d->lowest - 1 + d->most >= d->limit ? d->lowest - 1 : -1;
  return d->written + d->most - d->ahead < d->pushed ? d->written : -1;
}

static int Transfer(Disk *d, PetscInt p, char *buffer, PetscBool reading)
{
  const off_t start = (off_t)p * (off_t)d->bytes;

  for (size_t done = 0; done < d->bytes;) {
    const ssize_t n = reading ? pread(d->fd, buffer + done, d->bytes - done, start + (off_t)done)
                              : pwrite(d->fd, buffer + done, d->bytes - done, start + (off_t)done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return EIO;
    done += (size_t)n;
  }
  return 0;
}

static void *Serve(void *ctx)
{
  Disk *d = (Disk *)ctx;

  pthread_mutex_lock(&d->lock);
  while (!d->quit) {
    const PetscInt p = NextPiece(d);
    const PetscBool reading = d->reading;
    if (p < 0) {
      pthread_cond_wait(&d->changed, &d->lock);
      continue;
    }
    char *const buffer = d->buffer[p % d->most];
    d->busy = PETSC_TRUE;
    pthread_mutex_unlock(&d->lock);
    const int error = Transfer(d, p, buffer, reading);
    pthread_mutex_lock(&d->lock);
    d->busy = PETSC_FALSE;
    if (error && reading == d->reading) /* else it is a piece that is in memory still */
      d->error = error;
    else if (reading)
      d->lowest = p;
    else
      d->written = p + 1;
    pthread_cond_broadcast(&d->changed);
  }
  pthread_mutex_unlock(&d->lock);
  return NULL;
}

/* The thread takes no signals: they are the program's. */
static void Start(Disk *d)
{
  sigset_t all, old;

  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  const int error = pthread_create(&d->thread, NULL, Serve, d);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (error)
    d->error = error;
  else
    d->running = PETSC_TRUE;
}

static void Stop(Disk *d)
{
  if (!d->running) return;
  pthread_mutex_lock(&d->lock);
  d->quit = PETSC_TRUE;
  pthread_cond_broadcast(&d->changed);
  pthread_mutex_unlock(&d->lock);
  pthread_join(d->thread, NULL);
  d->running = d->quit = PETSC_FALSE;
}

/* ------------------------------------------------------------------ what the tape asks of it */

/* Nothing is recorded. */
static void Clear(Disk *d)
{
  pthread_mutex_lock(&d->lock);
  while (d->busy) pthread_cond_wait(&d->changed, &d->lock);
  d->reading = PETSC_FALSE;
  d->pushed = d->written = d->lowest = d->limit = 0;
  d->error = 0;
  pthread_mutex_unlock(&d->lock);
}

/* Until the buffer of piece p may be overwritten. */
static void WaitForRoom(Disk *d, PetscInt p)
{
  pthread_mutex_lock(&d->lock);
  while (!d->error && d->written <= p - d->most) pthread_cond_wait(&d->changed, &d->lock);
  pthread_mutex_unlock(&d->lock);
}

static void Publish(Disk *d, PetscInt pushed)
{
  pthread_mutex_lock(&d->lock);
  d->pushed = pushed;
  if (NextPiece(d) >= 0 && !d->running) Start(d);
  if (NextPiece(d) >= 0) pthread_cond_broadcast(&d->changed);
  pthread_mutex_unlock(&d->lock);
}

/* Pieces from `limit` on are read no more. */
static void Release(Disk *d, PetscInt limit)
{
  pthread_mutex_lock(&d->lock);
  if (!d->reading) { /* what was recorded last is there */
    d->reading = PETSC_TRUE;
    d->limit = d->pushed;
    d->lowest = PetscMax(0, d->pushed - d->most);
  }
  d->limit = PetscMin(d->limit, limit);
  if (NextPiece(d) >= 0) pthread_cond_broadcast(&d->changed);
  pthread_mutex_unlock(&d->lock);
}

/* Until piece p is there. */
static void WaitForPiece(Disk *d, PetscInt p)
{
  pthread_mutex_lock(&d->lock);
  while (!d->error && d->lowest > p) pthread_cond_wait(&d->changed, &d->lock);
  pthread_mutex_unlock(&d->lock);
}

/* An error of one rank's thread becomes one of all. Until something is in the file there is none, and nobody
   is asked. */
static PetscErrorCode Agree(Tape tape)
{
  Disk *d = (Disk *)tape->data;
  char message[PETSC_MAX_PATH_LEN + 256] = "";

  PetscFunctionBegin;
  if (d->pushed <= d->most - d->ahead) PetscFunctionReturn(PETSC_SUCCESS);
  pthread_mutex_lock(&d->lock);
  const int error = d->error;
  const PetscBool reading = d->reading;
  tape->counts.disk = (PetscLogDouble)d->written * (PetscLogDouble)d->bytes;
  pthread_mutex_unlock(&d->lock);
  if (error)
    PetscCall(PetscSNPrintf(
        message, sizeof(message),
        "cannot %s the tape's file %s (deleted): %s. Name a folder with more room by -tape_dir, "
        "raise -tape_max_ram, or use -tape_type revolve",
        reading ? "read" : "write", d->path, strerror(error)));
  PetscCall(TwofoldAgree(PetscObjectComm((PetscObject)tape),
                         error ? (reading ? PETSC_ERR_FILE_READ : PETSC_ERR_FILE_WRITE) : PETSC_SUCCESS,
                         message));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ record and read */

static size_t PageSize(void)
{
  return (size_t)sysconf(_SC_PAGESIZE);
}

static PetscErrorCode AddBuffer(Tape tape)
{
  Disk *d = (Disk *)tape->data;
  void *buffer;

  PetscFunctionBegin;
  PetscCheck(!posix_memalign(&buffer, PageSize(), PetscMax(d->bytes, 1)), PETSC_COMM_SELF, PETSC_ERR_MEM,
             "no memory for an iterate of the tape, %zu bytes", d->bytes);
  const size_t tail = PetscMin(d->bytes, PageSize()); /* of which the last page may stay unused */
  memset((char *)buffer + d->bytes - tail, 0, tail);
  pthread_mutex_lock(&d->lock);
  const PetscErrorCode code = PetscRealloc((size_t)(d->made + 1) * sizeof(*d->buffer), &d->buffer);
  if (!code) d->buffer[d->made++] = buffer;
  pthread_mutex_unlock(&d->lock);
  PetscCall(code);
  tape->counts.ram += (PetscLogDouble)d->bytes;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeSlot_Disk(Tape tape, PetscInt s, PetscBool write, void **piece)
{
  Disk *d = (Disk *)tape->data;

  PetscFunctionBegin;
  if (write && s < d->most && s == d->made) PetscCall(AddBuffer(tape));
  if (write) WaitForRoom(d, s);
  *piece = d->buffer[s % d->most];
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapePush_Disk(Tape tape, State x)
{
  Disk *d = (Disk *)tape->data;

  PetscFunctionBegin;
  PetscCheck(!d->reading, PetscObjectComm((PetscObject)tape), PETSC_ERR_ARG_WRONGSTATE,
             "the tape is being read: TapeRewind() first");
  PetscCall(TapePushPieces_Private(tape, x));
  Publish(d, tape->length + tape->nstate);
  PetscCall(Agree(tape));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeGet_Disk(Tape tape, PetscInt i, State *x)
{
  Disk *d = (Disk *)tape->data;

  PetscFunctionBegin;
  PetscCheck(!d->reading || i + tape->nstate <= d->limit, PetscObjectComm((PetscObject)tape),
             PETSC_ERR_ARG_OUTOFRANGE, "state %" PetscInt_FMT " is released: each is read once, backwards",
             i);
  Release(d, i + tape->nstate);
  WaitForPiece(d, i);
  PetscCall(Agree(tape));
  PetscCall(TapeGetPieces_Private(tape, i, x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeRelease_Disk(Tape tape, PetscInt s)
{
  PetscFunctionBegin;
  Release((Disk *)tape->data, s);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeRewind_Disk(Tape tape)
{
  PetscFunctionBegin;
  Clear((Disk *)tape->data);
  tape->counts.disk = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ options, view, life cycle */

static PetscErrorCode TapeGetMemory_Disk(Tape tape, PetscInt steps, PetscLogDouble *bytes)
{
  Disk *d = (Disk *)tape->data;

  PetscFunctionBegin;
  *bytes = (PetscLogDouble)PetscMin(steps + tape->nstate - 1, d->most) * (PetscLogDouble)d->bytes;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeSetFromOptions_Disk(Tape tape, PetscOptionItems *PetscOptionsObject)
{
  char dir[PETSC_MAX_PATH_LEN];
  PetscBool given, direct = tape->direct;

  PetscFunctionBegin;
  PetscCall(TapeBudgetFromOptions_Private(tape, PetscOptionsObject));
  PetscCall(PetscOptionsString("-tape_dir", "Folder of the file, on a disk of the node's own",
                               "TapeSetDirectory", tape->dir, dir, sizeof(dir), &given));
  if (given) PetscCall(TapeSetDirectory(tape, dir));
  PetscCall(PetscOptionsBool("-tape_direct", "Write and read the file past the system's cache",
                             "TapeSetDirect", direct, &direct, &given));
  if (given) PetscCall(TapeSetDirect(tape, direct));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeView_Disk(Tape tape, PetscViewer viewer)
{
  Disk *d = (Disk *)tape->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer, "  at most %.0f bytes in RAM", tape->max_ram));
  PetscCall(PetscViewerASCIIUseTabs(viewer, PETSC_FALSE));
  if (tape->setup)
    PetscCall(PetscViewerASCIIPrintf(viewer, ": %" PetscInt_FMT " iterates; others in %s%s", d->most, d->path,
                                     tape->direct ? ", past the system's cache" : ""));
  PetscCall(PetscViewerASCIIPrintf(viewer, "\n"));
  PetscCall(PetscViewerASCIIUseTabs(viewer, PETSC_TRUE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Reset(Tape tape)
{
  Disk *d = (Disk *)tape->data;

  PetscFunctionBegin;
  Stop(d);
  if (d->fd >= 0) close(d->fd);
  d->fd = -1;
  for (PetscInt s = 0; s < d->made; s++) free(d->buffer[s]);
  PetscCall(PetscFree(d->buffer));
  d->made = 0;
  tape->counts.ram = tape->counts.disk = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Sets the file to go past the cache; an error's number where it cannot. */
static int GoDirect(int fd)
{
#if defined(O_DIRECT)
  return fcntl(fd, F_SETFL, O_DIRECT) ? errno : 0;
#else
  (void)fd;
  return ENOTSUP;
#endif
}

/* The file, whose name is gone at once. */
static PetscErrorCode Open(Tape tape)
{
  Disk *d = (Disk *)tape->data;
  const char *const tmp = getenv("TMPDIR"), *const dir = tape->dir[0]    ? tape->dir
                                                         : tmp && tmp[0] ? tmp
                                                                         : "/tmp";
  char message[PETSC_MAX_PATH_LEN + 256] = "";
  PetscErrorCode code = PETSC_SUCCESS;
  int refused = 0;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(d->path, sizeof(d->path), "%s/twofold-tape-XXXXXX", dir));
  d->fd = mkstemp(d->path);
  if (d->fd < 0) {
    code = PETSC_ERR_FILE_OPEN;
    PetscCall(PetscSNPrintf(message, sizeof(message), "-tape_dir %s: cannot make the tape's file there: %s",
                            dir, strerror(errno)));
  } else {
    unlink(d->path);
    fcntl(d->fd, F_SETFD, FD_CLOEXEC);
    refused = tape->direct ? GoDirect(d->fd) : 0;
  }
  if (refused) {
    code = PETSC_ERR_SUP;
    PetscCall(PetscSNPrintf(message, sizeof(message),
                            "-tape_direct: the file system of -tape_dir %s has no way past the cache: %s. "
                            "Leave the option out, or name a folder on a disk",
                            dir, strerror(refused)));
  }
  PetscCall(TwofoldAgree(PetscObjectComm((PetscObject)tape), code, message));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static size_t WholePages(size_t bytes)
{
  const size_t page = PageSize();

  return (bytes + page - 1) / page * page;
}

static PetscErrorCode TapeSetUp_Disk(Tape tape, State like)
{
  Disk *d = (Disk *)tape->data;

  PetscFunctionBegin;
  (void)like;
  PetscCall(Reset(tape));
  if (tape->direct) {
    tape->bytes = WholePages(tape->bytes);
    tape->maxbytes = WholePages(tape->maxbytes);
  }
  d->bytes = tape->bytes;
  PetscCall(
      TapeBudgetHolds_Private(tape, 1, tape->nstate + 1, &d->most)); /* one is read while a state is lent */
  d->ahead = PetscMax(1, d->most / 4);
  PetscCall(Open(tape));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeDestroy_Disk(Tape tape)
{
  Disk *d = (Disk *)tape->data;

  PetscFunctionBegin;
  PetscCall(Reset(tape));
  pthread_mutex_destroy(&d->lock);
  pthread_cond_destroy(&d->changed);
  PetscCall(PetscFree(tape->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeCreate_Disk(Tape tape)
{
  Disk *d;

  PetscFunctionBegin;
  PetscCall(PetscNew(&d));
  tape->data = d;
  d->fd = -1;
  pthread_mutex_init(&d->lock, NULL);
  pthread_cond_init(&d->changed, NULL);
  tape->ops->setfromoptions = TapeSetFromOptions_Disk;
  tape->ops->setup = TapeSetUp_Disk;
  tape->ops->rewind = TapeRewind_Disk;
  tape->ops->slot = TapeSlot_Disk;
  tape->ops->push = TapePush_Disk;
  tape->ops->get = TapeGet_Disk;
  tape->ops->release = TapeRelease_Disk;
  tape->ops->memory = TapeGetMemory_Disk;
  tape->ops->view = TapeView_Disk;
  tape->ops->destroy = TapeDestroy_Disk;
  PetscFunctionReturn(PETSC_SUCCESS);
}
