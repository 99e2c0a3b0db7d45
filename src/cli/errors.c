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
  case PETSC_ERR_FILE_WRITE:
  case PETSC_ERR_ARG_OUTOFRANGE:
  case PETSC_ERR_ARG_WRONG:
  case PETSC_ERR_ARG_INCOMP:
  case PETSC_ERR_ARG_UNKNOWN_TYPE:
  case PETSC_ERR_SUP:
    return EXIT_USAGE;
  case PETSC_ERR_NOT_CONVERGED:
    return EXIT_NOTCONVERGED;
  default:
    return EXIT_INTERNAL;
  }
}

/* PETSc does not say which option had the value it could not read: look for it. */
static void NameOption(const char message[])
{
  const char *word = strstr(message, "Input string ");
  char value[256], *all = NULL;

  if (!word || sscanf(word, "Input string %255s", value) != 1) return;
  if (PetscOptionsGetAll(NULL, &all) || !all) return;
  char *save = NULL, *name = NULL;
  for (char *token = strtok_r(all, " ", &save); token; token = strtok_r(NULL, " ", &save)) {
    if (token[0] == '-' && (token[1] < '0' || token[1] > '9'))
      name = token;
    else if (name && !strcmp(token, value))
      fprintf(stderr, "twofold: the value stands behind %s\n", name);
  }
  PetscFree(all);
}

static void PrintError(const CliError *error, int code, int rank)
{
  if (rank >= 0)
    fprintf(stderr, "twofold: error on rank %d: %s\n", rank, error->message);
  else
    fprintf(stderr, "twofold: error: %s\n", error->message);
  NameOption(error->message);
  if (code == EXIT_INTERNAL)
    fprintf(stderr, "twofold: raised by %s (PETSc error code %d)\n", error->where, (int)error->code);
  fflush(stderr);
}

/* Where all ranks failed together rank 0 speaks for them and the run ends in order; a rank that failed alone
   speaks for itself and takes the others down, since they wait for it somewhere else. */
int CliFail(const CliError *error)
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
