/* Values that PETSc would take wrongly and in silence, or only find out about when the run is over: one that
   is missing, an integer too large for PetscInt, a viewer that cannot be opened. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"

static PetscBool IsInteger(const char text[], long long *value)
{
  char *end;

  errno = 0;
  *value = strtoll(text, &end, 10);
  return (PetscBool)(end != text && !*end);
}

/* Compares the value as it was given with the one that was taken. */
static void CheckInteger(const CliHeard *option, const char value[], char text[], size_t len)
{
  long long wanted, taken;

  if (!IsInteger(option->taken, &taken) || !IsInteger(value, &wanted)) return;
  if (!errno && wanted == taken) return;
  snprintf(text, len, "-%s %s: beyond the largest integer, %lld%s", option->name, value,
           (long long)PETSC_MAX_INT,
           sizeof(PetscInt) == 4 ? "; PETSc with 64-bit indices takes larger ones" : "");
}

/* A viewer reads TYPE, or TYPE:FILE and more behind a second colon. */
static void CheckViewer(const CliHeard *option, const char value[], char text[], size_t len)
{
  const char *const types[] = {"ascii", "binary", "hdf5", "draw", "socket", "vtk", "glvis", "matlab", "saws"};
  const size_t type = strcspn(value, ":"), file = value[type] ? strcspn(value + type + 1, ":") : 0;
  PetscBool known = type == 0 ? PETSC_TRUE : PETSC_FALSE, writes = known;
  char folder[PETSC_MAX_PATH_LEN];

  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    if (strlen(types[i]) != type || strncmp(types[i], value, type) != 0) continue;
    known = PETSC_TRUE;
    writes = (PetscBool)(i < 3);
  }
  if (!known)
    snprintf(text, len, "-%s %s: no viewer of PETSc begins so; write ascii, binary:FILE or hdf5:FILE",
             option->name, value);
  if (!known || !writes || !file) return;
  snprintf(folder, sizeof(folder), "%.*s", (int)PetscMin(file, sizeof(folder) - 1), value + type + 1);
  char *slash = strrchr(folder, '/');
  if (slash) slash[slash == folder] = 0; /* keep the root's */
  if (access(slash ? folder : ".", W_OK))
    snprintf(text, len, "-%s %s: cannot write to that folder: %s", option->name, value, strerror(errno));
}

/* Rank 0: what is wrong with the value of an option that was asked for, or nothing. */
static PetscErrorCode CheckValue(const CliHeard *option, char text[], size_t len)
{
  char key[256];
  const char *value;
  PetscBool given;

  PetscFunctionBegin;
  if (option->kind == CLI_FLAG) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscSNPrintf(key, sizeof(key), "-%s", option->name));
  PetscCall(PetscOptionsFindPair(NULL, NULL, key, &value, &given));
  if (!given) PetscFunctionReturn(PETSC_SUCCESS);
  const PetscBool empty = (PetscBool)(!value || !value[0]);
  if (option->kind == CLI_VALUE && empty)
    PetscCall(PetscSNPrintf(text, len, "option -%s needs a value (-help tells which)", option->name));
  else if (option->kind == CLI_VALUE)
    CheckInteger(option, value, text, len);
  else if (!empty)
    CheckViewer(option, value, text, len);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliExplainInteger(char text[], size_t len)
{
  char found[512] = "", key[256];
  const char *value;
  PetscBool given;

  PetscFunctionBegin;
  for (PetscInt i = 0; !found[0] && CliHeardOption(i); i++) {
    const CliHeard *option = CliHeardOption(i);
    if (option->kind != CLI_VALUE) continue;
    PetscCall(PetscSNPrintf(key, sizeof(key), "-%s", option->name));
    PetscCall(PetscOptionsFindPair(NULL, NULL, key, &value, &given));
    if (given && value) CheckInteger(option, value, found, sizeof(found));
  }
  if (found[0]) PetscCall(PetscStrncpy(text, found, len));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliCheckValues(void)
{
  PetscMPIInt rank;
  char text[512] = "";

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  for (PetscInt i = 0; rank == 0 && !text[0] && CliHeardOption(i); i++)
    PetscCall(CheckValue(CliHeardOption(i), text, sizeof(text)));
  PetscCallMPI(MPI_Bcast(text, (int)sizeof(text), MPI_CHAR, 0, PETSC_COMM_WORLD));
  PetscCheck(!text[0], PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT, "%s", text);
  PetscFunctionReturn(PETSC_SUCCESS);
}
