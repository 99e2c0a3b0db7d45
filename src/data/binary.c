/* PETSc binary files of samples: an AIJ Mat (n x p), then a Vec of labels (n). */
#include "rows.h"
#include <petscmat.h>
#include "../sys/petscfile.h"

enum { scalar = (int)sizeof(PetscScalar) };

/* ------------------------------------------------------------------ load */

/* Sizes that the file's headers give, and the byte where each part begins. */
typedef struct {
  PetscInt64 n, p, nnz;
  PetscInt64 length, col, val, vec, label;
} Plan;

/* The file must have `bytes` bytes for its `part`. Collective. */
static PetscErrorCode CheckSize(const TwofoldPetscFile *f, PetscInt64 bytes, const char part[])
{
  PetscFunctionBegin;
  PetscCheck(f->size >= bytes, f->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s ends inside its %s: at least %" PetscInt64_FMT
             " bytes are needed, the file has %" PetscInt64_FMT,
             f->path, part, bytes, f->size);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadMatHeader(TwofoldPetscFile *f, Plan *plan)
{
  PetscInt64 header[4] = {0, 0, 0, 0};
  PetscBool found;

  PetscFunctionBegin;
  PetscCall(TwofoldPetscFileHeader(f, 0, 1, header, &found));
  PetscCheck(header[0] == MAT_FILE_CLASSID, f->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s begins with %s; a data set is a Mat (samples by features), then a Vec of labels", f->path,
             TwofoldPetscFileClass(header[0]));
  PetscCall(CheckSize(f, 4 * f->intsize, "header"));
  PetscCall(TwofoldPetscFileHeader(f, 0, 4, header, &found));
  *plan = (Plan){.n = header[1], .p = header[2], .nnz = header[3], .length = 4 * f->intsize};
  PetscCheck(plan->nnz != -1, f->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s holds a dense matrix; write it as AIJ (MatConvert() to MATAIJ, then MatView())", f->path);
  PetscCheck(plan->n >= 0 && plan->p >= 0 && plan->nnz >= 0 && plan->p <= PETSC_MAX_INT, f->comm,
             PETSC_ERR_FILE_UNEXPECTED,
             "%s: no matrix has %" PetscInt64_FMT " rows, %" PetscInt64_FMT " columns and %" PetscInt64_FMT
             " nonzeros: the file is damaged",
             f->path, plan->n, plan->p, plan->nnz);
  PetscCheck(plan->n > 0, f->comm, PETSC_ERR_FILE_UNEXPECTED, "%s holds no samples", f->path);
  PetscCheck(plan->n <= PETSC_MAX_INT && plan->n <= f->size / f->intsize, f->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s: %" PetscInt64_FMT " samples cannot be in a file of %" PetscInt64_FMT " bytes", f->path,
             plan->n, f->size);
  plan->col = plan->length + plan->n * f->intsize;
  PetscCall(CheckSize(f, plan->col, "row lengths"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Reads this rank's row lengths into rowptr; *before is the number of entries of the ranks before it, and
   the plan gets the place of everything behind the row lengths. */
static PetscErrorCode ReadRowLengths(TwofoldPetscFile *f, Plan *plan, PetscLayout rows, PetscInt rowptr[],
                                     PetscInt64 *before)
{
  TwofoldFault fault = {0};
  PetscInt64 mine = 0, total;

  PetscFunctionBegin;
  rowptr[0] = 0;
  PetscCall(TwofoldPetscFileReadInts(f, plan->length + (PetscInt64)rows->rstart * f->intsize, rows->n,
                                     rowptr + 1, &fault));
  for (PetscInt i = 0; i < rows->n && !fault.code; i++) {
    const PetscInt length = rowptr[i + 1];
    if (length < 0 || length > plan->p)
      TwofoldFaultSet(&fault, PETSC_ERR_FILE_UNEXPECTED,
                      "%s: row %" PetscInt_FMT " claims %" PetscInt_FMT " nonzeros in %" PetscInt64_FMT
                      " columns: the file is damaged",
                      f->path, rows->rstart + i, length, plan->p);
    mine += length;
    rowptr[i + 1] = (PetscInt)mine;
    if (mine >= PETSC_MAX_INT)
      TwofoldFaultSet(&fault, PETSC_ERR_FILE_UNEXPECTED,
                      "%s: too many entries on one rank; use more ranks or PETSc with 64-bit indices",
                      f->path);
  }
  PetscCall(TwofoldFaultAgree(f->comm, &fault));
  PetscCallMPI(MPI_Scan(&mine, before, 1, MPIU_INT64, MPI_SUM, f->comm));
  *before -= mine;
  PetscCallMPI(MPI_Allreduce(&mine, &total, 1, MPIU_INT64, MPI_SUM, f->comm));
  /* PETSc writes the largest 32-bit number where the count of nonzeros does not fit. */
  if (f->intsize == 4 && plan->nnz == INT32_MAX) plan->nnz = total;
  PetscCheck(total == plan->nnz, f->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s: its header says %" PetscInt64_FMT " nonzeros, its row lengths sum to %" PetscInt64_FMT
             ": the file is damaged",
             f->path, plan->nnz, total);
  plan->val = plan->col + total * f->intsize;
  plan->vec = plan->val + total * scalar;
  plan->label = plan->vec + 2 * f->intsize;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckLabels(TwofoldPetscFile *f, const Plan *plan)
{
  PetscInt64 header[2] = {0, 0};
  PetscBool found;

  PetscFunctionBegin;
  PetscCall(CheckSize(f, plan->vec, "matrix"));
  PetscCall(TwofoldPetscFileHeader(f, plan->vec, 2, header, &found));
  PetscCheck(found && header[0] == VEC_FILE_CLASSID, f->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s has no labels: behind the matrix a Vec of %" PetscInt64_FMT
             " labels is needed (VecView() to the same viewer)",
             f->path, plan->n);
  PetscCheck(header[1] == plan->n, f->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s has %" PetscInt64_FMT " samples, but %" PetscInt64_FMT " labels", f->path, plan->n,
             header[1]);
  PetscCall(CheckSize(f, plan->label + plan->n * scalar, "labels"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadLabels(TwofoldPetscFile *f, const Plan *plan, PetscLayout rows, PetscReal label[],
                                 TwofoldFault *fault)
{
  PetscScalar *y;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(rows->n + 1, &y));
  PetscCall(
      TwofoldPetscFileReadScalars(f, plan->label + (PetscInt64)rows->rstart * scalar, rows->n, y, fault));
  for (PetscInt i = 0; i < rows->n && !fault->code; i++) {
    label[i] = PetscRealPart(y[i]);
    if (PetscIsInfOrNanReal(label[i]))
      TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                      "%s: the label of row %" PetscInt_FMT " (from 0) is not a finite number", f->path,
                      rows->rstart + i);
  }
  PetscCall(PetscFree(y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Reads this rank's rows by the plan and gives them to ds. */
static PetscErrorCode ReadRows(DataSet ds, TwofoldPetscFile *f)
{
  TwofoldFault fault = {0};
  PetscLayout rows;
  PetscInt *rowptr, *col;
  PetscScalar *val;
  PetscReal *label;
  PetscInt64 before;
  Plan plan = {0};

  PetscFunctionBegin;
  PetscCall(ReadMatHeader(f, &plan));
  PetscCall(PetscLayoutCreateFromSizes(f->comm, PETSC_DECIDE, (PetscInt)plan.n, 1, &rows));
  PetscCall(PetscMalloc1(rows->n + 1, &rowptr));
  PetscCall(ReadRowLengths(f, &plan, rows, rowptr, &before));
  PetscCall(CheckLabels(f, &plan));
  const PetscInt nnz = rowptr[rows->n];
  PetscCall(PetscMalloc1(nnz + 1, &col));
  PetscCall(PetscMalloc1(nnz + 1, &val));
  PetscCall(PetscMalloc1(rows->n + 1, &label));
  PetscCall(TwofoldPetscFileReadInts(f, plan.col + before * f->intsize, nnz, col, &fault));
  PetscCall(TwofoldPetscFileReadScalars(f, plan.val + before * scalar, nnz, val, &fault));
  for (PetscInt i = 0; i < rows->n && !fault.code; i++)
    PetscCall(DataSetTidyRow_Private(f->path, plan.p, rows->rstart + i, rowptr[i + 1] - rowptr[i],
                                     col + rowptr[i], val + rowptr[i], &fault));
  PetscCall(ReadLabels(f, &plan, rows, label, &fault));
  PetscCall(TwofoldFaultAgree(f->comm, &fault));
  PetscCall(DataSetTakeRows_Private(ds, rows->n, rowptr, col, val, label, (PetscInt)plan.p, PETSC_TRUE));
  PetscCall(PetscFree(label));
  PetscCall(PetscLayoutDestroy(&rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetLoad_Binary(DataSet ds, const char path[])
{
  TwofoldPetscFile f;

  PetscFunctionBegin;
  PetscCall(TwofoldPetscFileOpen(PetscObjectComm((PetscObject)ds), path, &f));
  PetscCall(ReadRows(ds, &f));
  PetscCall(TwofoldPetscFileClose(&f));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ write */

/* Rank 0 writes the headers of both objects. */
static PetscErrorCode WriteHeaders(DataSet ds, const char path[], MPI_File file, const Plan *plan,
                                   TwofoldFault *fault)
{
  const PetscInt mat[] = {MAT_FILE_CLASSID, ds->n, ds->p, (PetscInt)PetscMin(plan->nnz, PETSC_MAX_INT)};
  const PetscInt vec[] = {VEC_FILE_CLASSID, ds->n};

  PetscFunctionBegin;
  PetscCall(TwofoldPetscFileWrite(file, path, 0, 4, mat, PETSC_INT, fault));
  PetscCall(TwofoldPetscFileWrite(file, path, plan->vec, 2, vec, PETSC_INT, fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Writes the row lengths and labels of this rank. */
static PetscErrorCode WriteRowData(DataSet ds, const char path[], MPI_File file, const Plan *plan,
                                   TwofoldFault *fault)
{
  const PetscInt n = ds->rows->n;
  const PetscInt64 start = ds->rows->rstart;
  PetscInt *length;
  PetscScalar *label;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(n + 1, &length, n + 1, &label));
  for (PetscInt i = 0; i < n; i++) {
    length[i] = ds->rowptr[i + 1] - ds->rowptr[i];
    label[i] = DataSetLabelValue_Private(ds, i);
  }
  PetscCall(TwofoldPetscFileWrite(file, path, plan->length + start * (PetscInt64)sizeof(PetscInt), n, length,
                                  PETSC_INT, fault));
  PetscCall(TwofoldPetscFileWrite(file, path, plan->label + start * scalar, n, label, PETSC_SCALAR, fault));
  PetscCall(PetscFree2(length, label));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetWrite_Binary(DataSet ds, const char path[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  const PetscInt64 integer = (PetscInt64)sizeof(PetscInt), mine = ds->rowptr[ds->rows->n];
  Plan plan = {.n = ds->n, .p = ds->p, .length = 4 * integer, .col = (4 + (PetscInt64)ds->n) * integer};
  TwofoldFault fault = {0};
  PetscInt64 before;
  PetscMPIInt rank;
  MPI_File file;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Scan(&mine, &before, 1, MPIU_INT64, MPI_SUM, comm));
  before -= mine;
  PetscCallMPI(MPI_Allreduce(&mine, &plan.nnz, 1, MPIU_INT64, MPI_SUM, comm));
  plan.val = plan.col + plan.nnz * integer;
  plan.vec = plan.val + plan.nnz * scalar;
  plan.label = plan.vec + 2 * integer;
  PetscCall(TwofoldFileOpenWrite(comm, path, &file));
  if (rank == 0) PetscCall(WriteHeaders(ds, path, file, &plan, &fault));
  PetscCall(WriteRowData(ds, path, file, &plan, &fault));
  PetscCall(TwofoldPetscFileWrite(file, path, plan.col + before * integer, (PetscInt)mine, ds->col, PETSC_INT,
                                  &fault));
  PetscCall(TwofoldPetscFileWrite(file, path, plan.val + before * scalar, (PetscInt)mine, ds->val,
                                  PETSC_SCALAR, &fault));
  PetscCall(TwofoldFileCloseWrite(comm, path, &file, &fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}
