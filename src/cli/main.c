/* twofold: the program. Finds the command, starts MPI and PETSc, runs it, and turns errors into exit codes.
 */
#include <signal.h>
#include <string.h>
#include "cli.h"

static const struct {
  const char *name;
  PetscErrorCode (*run)(int *);
  const char *what;
} commands[] = {
    {"solve", CommandSolve, "bilevel optimisation; writes a run directory"},
    {"hypergrad", CommandHypergrad, "one hypergradient at a given lambda"},
    {"contraction", CommandContraction,
     "constants and rates of the lower level: L, mu, kappa, ||d1Phi||, ..."},
    {"study", CommandStudy, "the error of hypergradients against the number of steps, with bounds"},
    {"data", CommandData, "inspect, convert and split data sets"},
    {"predict", CommandPredict, "apply a solution to other samples"},
    {"bench", CommandBench, "time the kernels against this machine's memory bandwidth"},
};
enum { NCOMMANDS = sizeof(commands) / sizeof(commands[0]) };

static PetscErrorCode PrintUsage(void)
{
  PetscFunctionBegin;
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "twofold %s: bilevel optimisation on distributed memory\n\n"
                        "usage: mpirun -n RANKS twofold COMMAND [-option [value]]...\n\n",
                        TWOFOLD_VERSION));
  for (int i = 0; i < NCOMMANDS; i++)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %-11s %s\n", commands[i].name, commands[i].what));
  PetscCall(PetscPrintf(
      PETSC_COMM_WORLD,
      "\ntwofold COMMAND -help lists its options (-help all: PETSc's too); twofold -version prints "
      "the version.\nOptions may stand in a file: -options_file FILE\n"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunCommand(int argc, char **argv, const char name[], int *code)
{
  PetscBool help, version;

  PetscFunctionBegin;
  PetscCall(CliCheckWords(argc, argv));
  if (!name) {
    PetscCall(PetscOptionsHasName(NULL, NULL, "-cli_version", &version));
    PetscCall(PetscOptionsHasName(NULL, NULL, "-cli_help", &help));
    if (version) {
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, "twofold %s (PETSc %d.%d.%d%s)\n", TWOFOLD_VERSION,
                            PETSC_VERSION_MAJOR, PETSC_VERSION_MINOR, PETSC_VERSION_SUBMINOR,
                            sizeof(PetscInt) == 8 ? ", 64-bit indices" : ""));
      PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (help || argc == 1) PetscCall(PrintUsage());
    PetscCheck(
        help || argc == 1, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
        "no command: twofold solve, hypergrad, contraction, study, data, predict or bench, then options");
    *code = help ? EXIT_OK : EXIT_USAGE;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  for (int i = 0; i < NCOMMANDS; i++) {
    if (strcmp(name, commands[i].name) != 0) continue;
    PetscCall(CliHelpListen());
    PetscCall((*commands[i].run)(code));
    PetscCall(CliHelpEnd());
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  SETERRQ(PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
          "unknown command %s: known are solve, hypergrad, contraction, study, data, predict, bench (twofold "
          "-help)",
          name);
}

/* PETSc answers -help and -version at once by its own: ours are renamed on their way in. */
static void Rename(int argc, char **argv)
{
  static char help[] = "-cli_help", version[] = "-cli_version";

  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "-help") || !strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) argv[i] = help;
    if (!strcmp(argv[i], "-version") || !strcmp(argv[i], "--version")) argv[i] = version;
  }
}

/* A missing -options_file would end PetscInitialize() with a trace: it is taken out and reported afterwards.
   Returns its name, empty where there is none. */
static const char *TakeMissingOptionsFile(int *argc, char **argv)
{
  for (int i = 1; i < *argc; i++) {
    if (strcmp(argv[i], "-options_file") != 0) continue;
    const char *const name = i + 1 < *argc ? argv[i + 1] : "";
    FILE *const file = fopen(name, "r");
    const int words = *name ? 2 : 1;
    if (file) {
      fclose(file);
      continue;
    }
    for (int j = i; j + words <= *argc; j++) argv[j] = argv[j + words];
    *argc -= words;
    return name;
  }
  return NULL;
}

/* Not in main(), where PetscError() would abort. */
static PetscErrorCode ReportOptionsFile(const char missing[])
{
  PetscFunctionBegin;
  PetscCheck(missing[0], PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "option -options_file needs the name of a file");
  SETERRQ(PETSC_COMM_WORLD, PETSC_ERR_FILE_OPEN, "-options_file %s: no such file, or no permission", missing);
}

int main(int argc, char **argv)
{
  CliError error = {PETSC_SUCCESS, "", ""};
  const char *command = NULL;
  int code = EXIT_OK;

  if (argc > 1 && argv[1][0] != '-') { /* the command's word is not PETSc's business */
    command = argv[1];
    for (int i = 1; i + 1 <= argc; i++) argv[i] = argv[i + 1];
    argc--;
  }
  Rename(argc, argv);
  signal(SIGXFSZ, SIG_IGN); /* a file beyond its limit is an error of writing */
  const char *missing = TakeMissingOptionsFile(&argc, argv);
  PetscErrorCode ierr = PetscPushErrorHandler(CliErrorHandler, &error);
  if (!ierr) ierr = TwofoldInitialize(&argc, &argv, NULL, NULL);
  if (!ierr && missing) ierr = ReportOptionsFile(missing);
  if (!ierr) ierr = RunCommand(argc, argv, command, &code);
  if (ierr) return CliFail(&error);
  PetscPopErrorHandler();
  if (TwofoldFinalize()) return EXIT_INTERNAL;
  return code;
}
