/* Errors of the program: one message for the run, the right exit code, no hang. */
#include <petsctime.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"

PetscErrorCode CliErrorHandler(MPI_Comm comm, int line, const char *function, const char *file,
                               PetscErrorCode code, PetscErrorType type, const char *message, void *ctx)
{
  CliError *error = (CliError *)ctx;

  (void)comm;
  (void)type;
  if (!error->code) { /* the callers up the stack report it again */
    error->code = code;
    snprintf(error->message, sizeof(error->message), "%s", message ? message : "");
    snprintf(error->where, sizeof(error->where), "%s() at %s:%d", function ? function : "?",
             file ? file : "?", line);
  }
  return code;
}

static int ExitCode(PetscErrorCode code)
{
  switch ((int)code) {
  case PETSC_ERR_FILE_OPEN:
    return EXIT_NOINPUT;
  case PETSC_ERR_FILE_READ:
  case PETSC_ERR_FILE_UNEXPECTED:
    return EXIT_DATA;
  case PETSC_ERR_USER:
  case PETSC_ERR_USER_INPUT:
  case PETSC_ERR_ARG_OUTOFRANGE:
  case PETSC_ERR_ARG_WRONG:
  case PETSC_ERR_ARG_INCOMP:
  case PETSC_ERR_ARG_UNKNOWN_TYPE:
  case PETSC_ERR_SUP:
    return EXIT_USAGE;
  case PETSC_ERR_NOT_CONVERGED:
    return EXIT_NOTCONVERGED;
  case PETSC_ERR_FILE_WRITE:
    return EXIT_IOERR;
  default:
    return EXIT_INTERNAL;
  }
}

/* PETSc's complaints about a value do not name its option: how they begin, and what is said instead. */
static const struct {
  const char *begins, *ends, *instead;
} complaints[] = {
    {"Input string ", "integer value", "must be a whole number"},
    {"Input string ", "numeric value", "must be a number"},
    {"Unknown logical value: ", "", "must be true or false"},
    {"Unknown vector type: ", "", "PETSc has no such type of vectors"},
    {"Unable to find requested KSP type ", "", "PETSc has no such Krylov method (-help all lists them)"},
    {"Unable to find requested PC type ", "", "PETSc has no such preconditioner (-help all lists them)"}};

/* The option with this value. One that objects have asked for was read well, so it comes last. */
static PetscBool FindByValue(char all[], const char wanted[], const char **found)
{
  const char *name, *value;

  *found = NULL;
  while (CliNextOption(&all, &name, &value)) {
    if (!value || strcmp(value, wanted) != 0) continue;
    if (!*found || !CliHeardFamily(name)) *found = name;
  }
  return (PetscBool)(*found != NULL);
}

static void Explain(CliError *error)
{
  char word[256], *all = NULL;
  const char *name;

  if (ExitCode(error->code) == EXIT_USAGE) (void)CliExplainInteger(error->message, sizeof(error->message));
  for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++) {
    const size_t length = strlen(complaints[i].begins);
    if (strncmp(error->message, complaints[i].begins, length) != 0) continue;
    if (!strstr(error->message, complaints[i].ends)) continue;
    if (sscanf(error->message + length, "%255s", word) != 1 || PetscOptionsGetAll(NULL, &all)) return;
    if (FindByValue(all, word, &name))
      snprintf(error->message, sizeof(error->message), "-%s %s: %s", name, word, complaints[i].instead);
    PetscFree(all);
    return;
  }
}

/* PETSc writes a real number with a point, also in front of a colon and behind nan and inf. */
static void DropPoints(char message[])
{
  for (char *point = strstr(message, ".:"); point; point = strstr(point + 1, ".:"))
    if (point > message && strchr("0123456789nf", point[-1])) memmove(point, point + 1, strlen(point));
}

static void PrintError(CliError *error, int code, int rank)
{
  Explain(error);
  DropPoints(error->message);
  if (rank >= 0)
    fprintf(stderr, "twofold: error on rank %d: %s\n", rank, error->message);
  else
    fprintf(stderr, "twofold: error: %s\n", error->message);
  if (code == EXIT_INTERNAL)
    fprintf(stderr, "twofold: raised by %s (PETSc error code %d)\n", error->where, (int)error->code);
  fflush(stderr);
}

/* Where all ranks failed together rank 0 speaks for them and the run ends in order; a rank that failed alone
   speaks for itself and takes the others down, since they wait for it somewhere else. */
int CliFail(CliError *error)
{
  const int code = ExitCode(error->code);
  const double patience = 3; /* s for the others to come */
  int rank, together = 0;
  MPI_Request request;

  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  fflush(stdout);
  MPI_Ibarrier(MPI_COMM_WORLD, &request);
  for (double begin = MPI_Wtime(); !together && MPI_Wtime() - begin < patience;) {
    MPI_Test(&request, &together, MPI_STATUS_IGNORE);
    if (!together) usleep(1000);
  }
  if (!together) {
    PrintError(error, code, rank);
    MPI_Abort(MPI_COMM_WORLD, code);
  }
  if (rank == 0) PrintError(error, code, -1);
  MPI_Barrier(MPI_COMM_WORLD); /* nobody ends before the message is out */
  MPI_Finalize();
  return code;
}
