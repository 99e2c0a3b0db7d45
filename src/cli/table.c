/* A CSV file of a run: a row for some upper steps, whole lines only, flushed after each. On a resume the rows
   from the first step on are dropped, since they will be written again. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"

struct _CliTable {
  char name[64];
  FILE *file; /* rank 0 */
};

/* Copies the rows before first_step of an earlier table. */
static void KeepEarlierRows(FILE *old, FILE *new, PetscInt first_step)
{
  char line[1024];

  while (fgets(line, sizeof(line), old)) {
    char *end;
    const long long step = strtoll(line, &end, 10);
    if (end != line && step < first_step && strchr(line, '\n')) fputs(line, new);
  }
}

PetscErrorCode CliTableOpen(RunDir dir, const char name[], const char header[], PetscInt first_step,
                            CliTable *table)
{
  char path[PETSC_MAX_PATH_LEN];
  FILE *aside;
  int failed = 0;

  PetscFunctionBegin;
  PetscCall(PetscNew(table));
  PetscCall(PetscStrncpy((*table)->name, name, sizeof((*table)->name)));
  PetscCall(RunDirPath(dir, name, path, sizeof(path)));
  PetscCall(RunDirOpenAside(dir, name, &aside));
  const PetscBool writer = (PetscBool)(aside != NULL);
  if (writer) {
    FILE *old = first_step > 0 ? fopen(path, "r") : NULL;
    fprintf(aside, "%s\n", header);
    if (old) {
      KeepEarlierRows(old, aside, first_step);
      fclose(old);
    }
  }
  PetscCall(RunDirCommit(dir, name, &aside));
  if (writer) {
    (*table)->file = fopen(path, "a");
    failed = (*table)->file ? 0 : errno;
  }
  PetscCallMPI(MPI_Bcast(&failed, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscCheck(!failed, PETSC_COMM_WORLD, PETSC_ERR_FILE_WRITE, "cannot append to %s: %s", path,
             strerror(failed));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliTableWrite(CliTable table, const char row[])
{
  int failed = 0;

  PetscFunctionBegin;
  if (table->file)
    failed = fputs(row, table->file) < 0 || fputc('\n', table->file) == EOF || fflush(table->file);
  PetscCallMPI(MPI_Bcast(&failed, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscCheck(!failed, PETSC_COMM_WORLD, PETSC_ERR_FILE_WRITE, "cannot write a row of %s: is the disk full?",
             table->name);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliTableClose(CliTable *table)
{
  PetscFunctionBegin;
  if (!*table) PetscFunctionReturn(PETSC_SUCCESS);
  if ((*table)->file) fclose((*table)->file);
  PetscCall(PetscFree(*table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void CliTableField(char row[], size_t len, PetscBool has, const char format[], double value)
{
  char text[64] = ",";
  const size_t used = strlen(row);

  if (has && isfinite(value))
    snprintf(text, sizeof(text), format, value);
  else if (has)
    snprintf(text, sizeof(text), ",%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
  snprintf(row + used, len - used, "%s", text);
}
