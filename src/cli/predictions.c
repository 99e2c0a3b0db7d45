/* The file of predictions: CSV by byte ranges, all ranks at once, or HDF5. */
#include <petscviewerhdf5.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <twofold/impl/groupimpl.h>
#include "../sys/mpifile.h"
#include "../sys/number.h"
#include "predictions.h"

PetscErrorCode PredictionsCheckPath(const char path[])
{
  char folder[PETSC_MAX_PATH_LEN];
  PetscMPIInt rank;
  int failed = 0;

  PetscFunctionBegin;
  PetscCall(PetscStrncpy(folder, path, sizeof(folder)));
  char *const slash = strrchr(folder, '/');
  if (slash) slash[slash == folder] = 0; /* keep the root's */
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0 && access(slash ? folder : ".", W_OK)) failed = errno;
  PetscCallMPI(MPI_Bcast(&failed, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscCheck(!failed, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "-predict_output %s: cannot write to that folder: %s", path, strerror(failed));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PredictionsLabel(const Predictions *p, PetscInt k, char text[], size_t len)
{
  char number[TwofoldRealWidth + 1];

  PetscFunctionBegin;
  if (p->name) {
    PetscCall(PetscStrncpy(text, p->name[k], len));
  } else {
    number[TwofoldFormatReal(number, p->value[k])] = 0;
    PetscCall(PetscStrncpy(text, number, len));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ CSV */

typedef struct {
  char *text;
  size_t n, room;
} Text;

static PetscErrorCode Append(Text *text, const char word[], size_t length)
{
  PetscFunctionBegin;
  if (text->n + length > text->room) {
    text->room = 2 * text->room + length + 4096;
    PetscCall(PetscRealloc(text->room, &text->text));
  }
  PetscCall(PetscMemcpy(text->text + text->n, word, length));
  text->n += length;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A field: in quotation marks where it has a character that would end it (RFC 4180). */
static PetscErrorCode AppendField(Text *text, const char field[])
{
  PetscFunctionBegin;
  if (!strpbrk(field, ",\"\r\n")) {
    PetscCall(Append(text, field, strlen(field)));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(Append(text, "\"", 1));
  for (const char *at = field; *at; at++)
    PetscCall(Append(text, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1));
  PetscCall(Append(text, "\"", 1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AppendHeader(Text *text, const Predictions *p, PetscBool probabilities)
{
  char label[1024], field[1100];

  PetscFunctionBegin;
  if (p->documents) PetscCall(Append(text, "document,", 9));
  if (p->targets) PetscCall(Append(text, "prediction", 10));
  if (!p->targets) PetscCall(Append(text, "label", 5));
  for (PetscInt k = 0; probabilities && k < p->c; k++) {
    PetscCall(PredictionsLabel(p, k, label, sizeof(label)));
    PetscCall(PetscSNPrintf(field, sizeof(field), "p(%s)", label));
    PetscCall(Append(text, ",", 1));
    PetscCall(AppendField(text, field));
  }
  PetscCall(Append(text, "\n", 1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Nine digits: more than these differ by rounding between numbers of ranks. */
static PetscErrorCode AppendNumber(Text *text, const char format[], PetscScalar value)
{
  char number[64];

  PetscFunctionBegin;
  const int length = snprintf(number, sizeof(number), format, (double)PetscRealPart(value));
  PetscCall(Append(text, number, (size_t)length));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AppendRow(Text *text, const Predictions *p, PetscInt i, const PetscScalar probability[])
{
  char label[1024];

  PetscFunctionBegin;
  PetscCall(PredictionsLabel(p, p->predicted[i], label, sizeof(label)));
  PetscCall(AppendField(text, label));
  for (PetscInt k = 0; probability && k < p->c; k++) PetscCall(AppendNumber(text, ",%.9g", probability[k]));
  PetscCall(Append(text, "\n", 1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteCSV(const Predictions *p, const char path[], PetscBool probabilities)
{
  Text text = {0};
  TwofoldFault fault = {0};
  const char *document = p->documents;
  PetscMPIInt rank;
  PetscInt64 mine, upto;
  const PetscScalar *z;
  MPI_File file;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(TwofoldFileOpenWrite(PETSC_COMM_WORLD, path, &file));
  if (rank == 0) PetscCall(AppendHeader(&text, p, probabilities));
  PetscCall(VecGetArrayRead(p->Z, &z));
  for (PetscInt i = 0; i < p->nlocal; i++) {
    if (document) PetscCall(AppendField(&text, document));
    if (document) PetscCall(Append(&text, ",", 1));
    if (p->targets)
      PetscCall(AppendNumber(&text, "%.9g\n", z[i]));
    else
      PetscCall(AppendRow(&text, p, i, probabilities ? z + i * p->c : NULL));
    if (document) document += strlen(document) + 1;
  }
  PetscCall(VecRestoreArrayRead(p->Z, &z));
  mine = (PetscInt64)text.n;
  PetscCallMPI(MPI_Scan(&mine, &upto, 1, MPIU_INT64, MPI_SUM, PETSC_COMM_WORLD));
  TwofoldFileWriteAt(file, path, upto - mine, mine, text.text, &fault);
  PetscCall(PetscFree(text.text));
  PetscCall(TwofoldFileCloseWrite(PETSC_COMM_WORLD, path, &file, &fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ HDF5 */

/* The data set `label`: the predicted label of each sample as a number. */
static PetscErrorCode WriteLabels(const Predictions *p, PetscViewer viewer)
{
  PetscScalar *a;
  Vec label;

  PetscFunctionBegin;
  PetscCall(VecCreateMPI(PETSC_COMM_WORLD, p->nlocal, p->n, &label));
  PetscCall(PetscObjectSetName((PetscObject)label, "label"));
  PetscCall(VecGetArrayWrite(label, &a));
  for (PetscInt i = 0; i < p->nlocal; i++) a[i] = p->value[p->predicted[i]];
  PetscCall(VecRestoreArrayWrite(label, &a));
  PetscCall(VecView(label, viewer));
  PetscCall(VecDestroy(&label));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteClasses(const Predictions *p, PetscViewer viewer, PetscBool probabilities)
{
  TwofoldGroup classes;

  PetscFunctionBegin;
  PetscCall(WriteLabels(p, viewer));
  PetscCall(PetscObjectSetName((PetscObject)p->Z, "probability"));
  if (probabilities) PetscCall(VecView(p->Z, viewer));
  PetscCall(TwofoldGroupCreate(viewer, "classes", &classes));
  PetscCall(TwofoldGroupPutReals(classes, "value", p->c, p->value));
  if (p->name) PetscCall(TwofoldGroupPutStrings(classes, "name", p->c, p->name));
  PetscCall(TwofoldGroupClose(&classes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteHDF5(const Predictions *p, const char path[], PetscBool probabilities)
{
  PetscViewer viewer;

  PetscFunctionBegin;
  PetscCall(PetscViewerHDF5Open(PETSC_COMM_WORLD, path, FILE_MODE_WRITE, &viewer));
  if (p->targets) {
    PetscCall(PetscObjectSetName((PetscObject)p->Z, "prediction"));
    PetscCall(VecView(p->Z, viewer));
  } else {
    PetscCall(WriteClasses(p, viewer, probabilities));
  }
  PetscCall(PetscViewerDestroy(&viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PredictionsWrite(const Predictions *p, const char path[], PetscBool probabilities)
{
  char aside[PETSC_MAX_PATH_LEN];
  PetscBool hdf5;

  PetscFunctionBegin;
  PetscCall(PetscStrendswith(path, ".h5", &hdf5));
  PetscCall(PetscSNPrintf(aside, sizeof(aside), "%s.tmp", path));
  if (hdf5)
    PetscCall(WriteHDF5(p, aside, probabilities));
  else
    PetscCall(WriteCSV(p, aside, probabilities));
  PetscCall(CliRename(aside, path));
  PetscFunctionReturn(PETSC_SUCCESS);
}
