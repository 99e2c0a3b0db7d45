#ifndef TWOFOLD_CLI_H
#define TWOFOLD_CLI_H
/* The program `twofold`: what its commands share. Only here is PETSC_COMM_WORLD the communicator. */
#include <stdio.h>
#include <twofold.h>
#include <twofold/impl/sysimpl.h>

/* Exit codes, in the manner of sysexits.h. */
enum {
  EXIT_OK = 0,
  EXIT_USAGE = 64,        /* bad option or usage */
  EXIT_DATA = 65,         /* bad data */
  EXIT_NOINPUT = 66,      /* missing file */
  EXIT_NOTCONVERGED = 69, /* with -error_if_not_converged */
  EXIT_INTERNAL = 70,
  EXIT_IOERR = 74,   /* a file cannot be written in the course of a run: the disk is full */
  EXIT_RESUBMIT = 75 /* stopped early with a checkpoint */
};

/* errors.c: the first error of this rank is kept; CliFail() prints it once for the run and gives the exit
 * code. */
typedef struct {
  PetscErrorCode code;
  char message[2048];
  char where[512];
} CliError;
PetscErrorCode CliErrorHandler(MPI_Comm comm, int line, const char *function, const char *file,
                               PetscErrorCode code, PetscErrorType type, const char *message, void *error);
int CliFail(CliError *error);

/* heard.c: the options that objects have asked for so far, on rank 0; kept until CliHeardFree(). */
typedef enum { CLI_FLAG, CLI_VALUE, CLI_VIEWER } CliKind;
typedef struct {
  char *name;  /* without the hyphen */
  char *taken; /* of CLI_VALUE: the value now in force, as text */
  CliKind kind;
} CliHeard;
PetscErrorCode CliHeardAdd(const char line[]); /* a line of a help text */
const CliHeard *CliHeardOption(PetscInt i);    /* NULL behind the last */
PetscBool CliHeardFamily(const char family[]); /* whether one begins so */
PetscErrorCode CliHeardFree(void);

/* late.c: the options that PETSc reads later than at set-up. */
const char *CliLateOption(PetscInt i); /* NULL behind the last */
PetscBool CliIsLateOption(const char name[]);

/* steps.c: "0,10,20:100:20", the value of an option: increasing numbers, at most `most`; free *at by
   PetscFree(). */
PetscErrorCode CliParseSteps(const char option[], const char text[], PetscInt most, PetscInt **at,
                             PetscInt *n);

/* options.c: the next option in the text of PetscOptionsGetAll(), which is cut up on the way; value is NULL
   where it has none. */
PetscBool CliNextOption(char **all, const char **name, const char **value);

/* help.c: what PETSc would print for -help is heard, kept and printed when asked for. */
PetscErrorCode CliHelpListen(void);
PetscErrorCode CliHelpPrint(PetscBool all);
/* The same without some options, whose list ends with NULL, and with a text of one's own behind. */
PetscErrorCode CliHelpPrintBut(PetscBool all, const char *const without[], const char closing[]);
PetscErrorCode CliHelpEnd(void);

/* strict.c: no word on the command line that nothing understands. values.c: no value that is missing or would
   be taken for another. Both look at what has been asked for so far. Collective. */
PetscErrorCode CliCheckWords(int argc, char **argv);
PetscErrorCode CliRefuseUnusedOptions(void);
PetscErrorCode CliCheckValues(void);
/* On rank 0: where an integer was too large, and the number it became was refused, text says so. */
PetscErrorCode CliExplainInteger(char text[], size_t len);

/* json.c */
typedef struct {
  FILE *file;
  int depth;
  PetscBool first;
} Json;
void JsonBegin(Json *json, FILE *file);
void JsonOpen(Json *json, const char key[]);
void JsonClose(Json *json);
void JsonString(Json *json, const char key[], const char value[]);
void JsonReal(Json *json, const char key[], double value); /* null where not finite */
void JsonInt(Json *json, const char key[], long long value);
void JsonConstant(Json *json, const char key[], const TwofoldConstant *c);
void JsonEnd(Json *json);

/* common.c */
typedef struct {
  PetscBool help, help_all, quiet, error_if_not_converged;
  char output_dir[PETSC_MAX_PATH_LEN]; /* empty: none */
} CliCommon;
/* Without a default_dir (NULL) the command has neither a run directory nor a reason. */
PetscErrorCode CliCommonFromOptions(CliCommon *common, const char default_dir[]);
PetscErrorCode CliCreateLambda(BLP blp, Vec *lambda);
/* The problem its options name; type user, which needs a C program, is refused but for its help. */
PetscErrorCode CliCreateProblem(const CliCommon *common, MPI_Comm comm, BLP *blp);
PetscErrorCode CliLambdaOptions(void);
PetscErrorCode CliPrintMemory(PetscLogDouble problem, PetscLogDouble solver);
PetscErrorCode CliPeakMemory(PetscLogDouble *bytes); /* largest of the ranks */
/* Makes objects that a command creates only with their data, so that -help lists their options. */
PetscErrorCode CliHearData(void);
/* Turns a bad reason into an exit code where -error_if_not_converged. */
PetscErrorCode CliJudge(const CliCommon *common, PetscBool converged, const char reason[], int *code);
/* A map for people: its type, step and momentum, and what they are optimal for where the map chose them. */
PetscErrorCode CliDescribeMap(FPM fpm, char text[], size_t len);
/* A line that tells the lower level's map, where it chose its step. */
PetscErrorCode CliPrintChosenStep(HG hg);
/* f for people: digits that fit, "inf" or "nan". */
void CliObjective(PetscReal f, char text[], size_t len);
void CliDuration(double seconds, char text[], size_t len);

/* rundir.c: the run directory */
typedef struct _RunDir *RunDir;
/* Makes the directory; refuses one that holds a run already. `checkpoints` tells that a run could go on from
   some that it left; with `resume` there has to be one. Nothing is written yet. */
PetscErrorCode RunDirCreate(const char path[], PetscBool checkpoints, PetscBool resume, RunDir *dir);
/* options.opts: everything needed to repeat the run. */
PetscErrorCode RunDirWriteOptions(RunDir dir, const char command[]);
PetscErrorCode RunDirPath(RunDir dir, const char name[], char path[], size_t len);
PetscErrorCode RunDirDestroy(RunDir *dir);
/* Rank 0's text files are written aside and renamed by these two; file is NULL on the other ranks. */
PetscErrorCode RunDirOpenAside(RunDir dir, const char name[], FILE **file);
PetscErrorCode RunDirCommit(RunDir dir, const char name[], FILE **file);
/* HDF5 does not survive a disk that fills up while it writes: room for the file's bytes and a little has to
   be there before. A file system that cannot tell lets it try. */
PetscErrorCode RunDirCheckRoom(RunDir dir, const char name[], PetscInt64 bytes);
/* HDF5 files likewise, by all ranks; they are sealed. */
PetscErrorCode RunDirOpenHDF5(RunDir dir, const char name[], PetscViewer *viewer);
PetscErrorCode RunDirCommitHDF5(RunDir dir, const char name[], PetscViewer *viewer);

/* Rank 0: everything of the file aside is on disk, then it takes its name. Collective. */
PetscErrorCode CliRename(const char aside[], const char path[]);

/* stop.c: the end of a run before its time, by a signal or as its wall time is up */
typedef struct _Stops *Stops;
typedef struct {
  const char *by, *where; /* the signal or what set the limit; the part of a step */
  int signal;             /* 0: none */
} Stopped;
/* Within PetscOptionsBegin(); from here on signals are caught and the time runs. Collective. */
PetscErrorCode StopsFromOptions(PetscOptionItems *PetscOptionsObject, Stops *stops);
PetscErrorCode StopsDestroy(Stops *stops);
/* For HGSetStop() and LLSSetPoll_Private(), with the Stops as the context. Collective on their ranks. */
PetscErrorCode StopsAsk(HG hg, HGStage stage, PetscBool *stop, void *stops);
PetscErrorCode StopsAskLower(void *stops, PetscInt its, PetscBool *stop);
/* Behind each upper step: also whether another one like it would take too long. Collective. */
PetscErrorCode StopsAskStep(Stops stops, PetscBool *stop);
/* What a checkpoint took, or before the first its bytes. */
PetscErrorCode StopsWrote(Stops stops, double seconds);
PetscErrorCode StopsExpect(Stops stops, double bytes);
/* Where someone was told to stop: why. Collective. */
PetscErrorCode StopsTell(Stops stops, Stopped *why);
/* The same in summary.json, with how to go on. */
void StopsSummarise(Json *json, const Stopped *why, const char go_on[]);

/* checkpoint.c: the last few checkpoints of a run, sealed files DIR/checkpoint/step-N.h5 */
typedef struct _Checkpoints *Checkpoints;
/* Within PetscOptionsBegin(). */
PetscErrorCode CheckpointsFromOptions(PetscOptionItems *PetscOptionsObject, Checkpoints *checkpoints);
/* Whether the folder of a run holds one; not collective. */
PetscBool CheckpointsExist(const char path[]);
PetscErrorCode CheckpointsSetDir(Checkpoints checkpoints, RunDir dir);
/* Whether it is time for one, by the steps or the clock. Collective. */
PetscErrorCode CheckpointsAreDue(Checkpoints checkpoints, PetscInt it, PetscBool *due);
/* Writes one, aside and sealed and then renamed, and removes the oldest; how long that took, in s (may be
   NULL). Collective. */
PetscErrorCode CheckpointsWrite(Checkpoints checkpoints, ULS uls, Vec lambda, PetscLogDouble *took);
/* The one of a run that was stopped, unless it is there: its state is that behind the last step. Collective.
 */
PetscErrorCode CheckpointsWriteStopped(Checkpoints checkpoints, ULS uls, Vec lambda);
/* Leaves a marker, checkpoint/REQUEUE, that the run wants to go on, and takes it away. Collective. */
PetscErrorCode CheckpointsMark(Checkpoints checkpoints, const char text[]);
PetscErrorCode CheckpointsUnmark(Checkpoints checkpoints);
/* Takes the newest that is as it was sealed; tells of those that are not. Collective. */
PetscErrorCode CheckpointsRead(Checkpoints checkpoints, ULS uls, Vec lambda);
PetscErrorCode CheckpointsDestroy(Checkpoints *checkpoints);

/* resume.c: refuses options that contradict those of the run a checkpoint is of, as PetscOptionsGetAll() gave
   them then. */
PetscErrorCode CliCheckOptionsOfCheckpoint(const char path[], const char before[]);

/* solution.c: lambda, the best lambda of a run (may be NULL), and the w of hg's last solve as a model. */
PetscErrorCode CliWriteSolution(RunDir dir, BLP blp, HG hg, Vec lambda, Vec best);

/* exact.c: w(lambda) solved to a tolerance, beside a run's iterate w; its options begin with uls_eval_lls_.
 */
typedef struct _Exact *Exact;
typedef struct {
  PetscBool there;    /* it was computed at all */
  PetscBool measured; /* w is finite: f, val and test are there */
  PetscReal f;
  BLPMetrics val, test;
  PetscBool has_val, has_test;
  LLSConvergedReason reason;
  PetscInt its, products;
  PetscReal change; /* ||Phi(w) - w|| / ||w|| that is left */
  PetscLogDouble time;
} ExactPoint;
PetscErrorCode ExactCreate(BLP blp, Exact *exact);
PetscErrorCode ExactSetStops(Exact exact, Stops stops); /* then a point's reason may be LLS_STOPPED */
PetscErrorCode ExactSetUp(Exact exact);
PetscErrorCode ExactGetMemory(Exact exact, PetscLogDouble *bytes); /* added */
PetscErrorCode ExactEvaluate(Exact exact, Vec lambda, Vec w, PetscBool val, PetscBool test,
                             ExactPoint *point);
PetscErrorCode ExactDestroy(Exact *exact);

/* table.c: a CSV file of the run directory, valid after every row, whose first column is the upper step. */
typedef struct _CliTable *CliTable;
/* On a resume, first_step > 0, its rows before that stay. `header` is without a line's end, as rows are. */
PetscErrorCode CliTableOpen(RunDir dir, const char name[], const char header[], PetscInt first_step,
                            CliTable *table);
PetscErrorCode CliTableWrite(CliTable table, const char row[]); /* rank 0's; collective */
PetscErrorCode CliTableClose(CliTable *table);                  /* NULL: nothing happens */
/* Adds a comma and a number, or nothing behind it where there is none, to the row; `format` has the comma. */
void CliTableField(char row[], size_t len, PetscBool has, const char format[], double value);

/* history.c: history.csv, and diagnostics.csv of BLPDiagnose() */
typedef struct {
  PetscInt step;
  PetscReal f;
  PetscBool has_gradient, has_adjoint, evaluated; /* hypergradient; adjoint solve, also a failed one */
  BLPMetrics val, test;
  PetscBool has_test;
  HGReport hg;
  ExactPoint exact;
  PetscReal projected_norm;                                   /* -1 where there is none */
  PetscInt64 total_lower_its, total_adjoint_its, evaluations; /* of the run so far */
  PetscLogDouble time;
} HistoryRow;
PetscErrorCode HistoryOpen(RunDir dir, PetscInt first_step, CliTable *history);
PetscErrorCode HistoryWrite(CliTable history, const HistoryRow *row);
PetscErrorCode DiagnosticsOpen(RunDir dir, BLP blp, PetscInt first_step, CliTable *diagnostics);
PetscErrorCode DiagnosticsWrite(CliTable diagnostics, PetscInt step, BLP blp, Vec lambda, Vec w);

/* Commands, one a file; each returns an exit code through *code. */
PetscErrorCode CommandSolve(int *code);
PetscErrorCode CommandHypergrad(int *code);
PetscErrorCode CommandContraction(int *code);
PetscErrorCode CommandStudy(int *code);
PetscErrorCode CommandData(int *code);
PetscErrorCode CommandPredict(int *code);
PetscErrorCode CommandBench(int *code);

#endif
