/* Small dense systems A x = b, solved directly. A is filled column by column from vectors.

   By LAPACK every rank factors all of A, through a sequential matrix of PETSc: n x n numbers a rank beside
   its own rows. By ScaLAPACK A and its factors are shared out, in PETSc's layout for it: rows in blocks of
   ceil(n / ranks), which is not that of the vectors. */
#include <twofold/impl/sysimpl.h>

enum { smallest_shared = 512 }; /* below it every rank is as fast alone */

struct _TwofoldDirect {
  MPI_Comm comm;
  PetscBool shared; /* by ScaLAPACK */
  PetscInt n, nlocal;
  Vec like;   /* layout of b and x */
  Vec b, x;   /* all of them on every rank; shared: in A's layout */
  Mat factor; /* L and U; of all of A where it is not shared */
  /* not shared */
  const PetscInt *range;         /* of the ranks; of `like` */
  PetscScalar *rows;             /* this rank's, by columns: nlocal x n */
  PetscMPIInt *counts, *offsets; /* of a vector's pieces */
  /* shared */
  Mat A;
  VecScatter scatter; /* from `like` to A's layout */
};

/* ------------------------------------------------------------------ every rank alone */

static PetscErrorCode CreateAlone(TwofoldDirect d, PetscMPIInt size)
{
  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRanges(d->like, &d->range));
  PetscCall(PetscMalloc3(d->nlocal * d->n, &d->rows, size, &d->counts, size, &d->offsets));
  for (PetscMPIInt r = 0; r < size; r++) {
    PetscCall(PetscMPIIntCast(d->range[r + 1] - d->range[r], &d->counts[r]));
    PetscCall(PetscMPIIntCast(d->range[r], &d->offsets[r]));
  }
  PetscCall(MatCreateSeqDense(PETSC_COMM_SELF, d->n, d->n, NULL, &d->factor));
  PetscCall(MatCreateVecs(d->factor, &d->x, &d->b));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FactorAlone(TwofoldDirect d, PetscReal shift)
{
  PetscMPIInt rank;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(d->comm, &rank));
  PetscCall(MatSetUnfactored(d->factor));
  PetscCall(MatDenseGetArrayWrite(d->factor, &a));
  for (PetscInt j = 0; j < d->n; j++) {
    PetscCallMPI(MPI_Allgatherv(d->rows + j * d->nlocal, d->counts[rank], MPIU_SCALAR, a + j * d->n,
                                d->counts, d->offsets, MPIU_SCALAR, d->comm));
    a[j * d->n + j] += shift;
  }
  PetscCall(MatDenseRestoreArrayWrite(d->factor, &a));
  PetscCall(MatAssemblyBegin(d->factor, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(d->factor, MAT_FINAL_ASSEMBLY));
  PetscCall(MatLUFactor(d->factor, NULL, NULL, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SolveAlone(TwofoldDirect d, Vec b, Vec x)
{
  const PetscScalar *a;
  PetscScalar *all;
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(d->comm, &rank));
  PetscCall(VecGetArrayRead(b, &a));
  PetscCall(VecGetArrayWrite(d->b, &all));
  PetscCallMPI(
      MPI_Allgatherv(a, d->counts[rank], MPIU_SCALAR, all, d->counts, d->offsets, MPIU_SCALAR, d->comm));
  PetscCall(VecRestoreArrayWrite(d->b, &all));
  PetscCall(VecRestoreArrayRead(b, &a));
  PetscCall(MatSolve(d->factor, d->b, d->x));
  PetscCall(VecGetArrayRead(d->x, &a));
  PetscCall(VecGetArrayWrite(x, &all));
  PetscCall(PetscArraycpy(all, a + d->range[rank], d->nlocal));
  PetscCall(VecRestoreArrayWrite(x, &all));
  PetscCall(VecRestoreArrayRead(d->x, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ shared out */

/* Whether all ranks but the last have a whole block of rows, as ScaLAPACK's matrices in PETSc must. */
static PetscBool CanShare(PetscInt n, PetscMPIInt size)
{
  const PetscInt block = (n + size - 1) / size;

  return (PetscBool)(size > 1 && (size - 1) * block <= n);
}

static PetscErrorCode CreateShared(TwofoldDirect d, PetscMPIInt size)
{
  const PetscInt block = (d->n + size - 1) / size;
  PetscInt first;
  PetscMPIInt rank;
  IS mine;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(d->comm, &rank));
  const PetscInt rows = rank < size - 1 ? block : d->n - block * (size - 1);
  PetscCall(MatCreateDense(d->comm, rows, rows, d->n, d->n, NULL, &d->A));
  PetscCall(MatCreateVecs(d->A, &d->x, &d->b));
  PetscCall(VecGetOwnershipRange(d->b, &first, NULL));
  PetscCall(ISCreateStride(d->comm, rows, first, 1, &mine));
  PetscCall(VecScatterCreate(d->like, mine, d->b, NULL, &d->scatter));
  PetscCall(ISDestroy(&mine));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SetSharedColumn(TwofoldDirect d, PetscInt j, Vec y)
{
  const PetscScalar *a;
  PetscScalar *column;
  PetscInt rows;

  PetscFunctionBegin;
  PetscCall(VecScatterBegin(d->scatter, y, d->b, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(d->scatter, y, d->b, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetLocalSize(d->b, &rows));
  PetscCall(VecGetArrayRead(d->b, &a));
  PetscCall(MatDenseGetColumn(d->A, j, &column));
  PetscCall(PetscArraycpy(column, a, rows));
  PetscCall(MatDenseRestoreColumn(d->A, &column));
  PetscCall(VecRestoreArrayRead(d->b, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FactorShared(TwofoldDirect d, PetscReal shift)
{
  PetscFunctionBegin;
  PetscCall(MatAssemblyBegin(d->A, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(d->A, MAT_FINAL_ASSEMBLY));
  PetscCall(MatShift(d->A, shift));
  PetscCall(MatDestroy(&d->factor));
  PetscCall(MatConvert(d->A, MATSCALAPACK, MAT_INITIAL_MATRIX, &d->factor));
  PetscCall(MatLUFactor(d->factor, NULL, NULL, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SolveShared(TwofoldDirect d, Vec b, Vec x)
{
  PetscFunctionBegin;
  PetscCall(VecScatterBegin(d->scatter, b, d->b, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(d->scatter, b, d->b, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(MatSolve(d->factor, d->b, d->x));
  PetscCall(VecScatterBegin(d->scatter, d->x, x, INSERT_VALUES, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(d->scatter, d->x, x, INSERT_VALUES, SCATTER_REVERSE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ interface */

PetscErrorCode TwofoldDirectCreate(Vec like, TwofoldDirectKind kind, TwofoldDirect *direct)
{
  const PetscBool has = PetscDefined(HAVE_SCALAPACK) ? PETSC_TRUE : PETSC_FALSE;
  TwofoldDirect d;
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCheck(has || kind != TWOFOLD_DIRECT_SCALAPACK, PetscObjectComm((PetscObject)like), PETSC_ERR_SUP,
             "this PETSc was built without ScaLAPACK: use lapack");
  PetscCall(PetscNew(&d));
  d->comm = PetscObjectComm((PetscObject)like);
  PetscCallMPI(MPI_Comm_size(d->comm, &size));
  PetscCall(PetscObjectReference((PetscObject)like));
  d->like = like;
  PetscCall(VecGetSize(like, &d->n));
  PetscCall(VecGetLocalSize(like, &d->nlocal));
  d->shared = (PetscBool)(has && kind != TWOFOLD_DIRECT_LAPACK && CanShare(d->n, size) &&
                          (kind == TWOFOLD_DIRECT_SCALAPACK || d->n >= smallest_shared));
  PetscCall(d->shared ? CreateShared(d, size) : CreateAlone(d, size));
  *direct = d;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldDirectDestroy(TwofoldDirect *direct)
{
  PetscFunctionBegin;
  if (!*direct) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree3((*direct)->rows, (*direct)->counts, (*direct)->offsets));
  PetscCall(MatDestroy(&(*direct)->factor));
  PetscCall(MatDestroy(&(*direct)->A));
  PetscCall(VecScatterDestroy(&(*direct)->scatter));
  PetscCall(VecDestroy(&(*direct)->b));
  PetscCall(VecDestroy(&(*direct)->x));
  PetscCall(VecDestroy(&(*direct)->like));
  PetscCall(PetscFree(*direct));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldDirectSetColumn(TwofoldDirect d, PetscInt j, Vec y)
{
  const PetscScalar *a;

  PetscFunctionBegin;
  if (d->shared) {
    PetscCall(SetSharedColumn(d, j, y));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(VecGetArrayRead(y, &a));
  PetscCall(PetscArraycpy(d->rows + j * d->nlocal, a, d->nlocal));
  PetscCall(VecRestoreArrayRead(y, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldDirectGetNorm(TwofoldDirect d, PetscReal *norm)
{
  PetscReal sum = 0;

  PetscFunctionBegin;
  if (d->shared) {
    PetscCall(MatNorm(d->A, NORM_FROBENIUS, norm));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  for (PetscInt i = 0; i < d->nlocal * d->n; i++) sum += PetscSqr(PetscAbsScalar(d->rows[i]));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPIU_SUM, d->comm));
  *norm = PetscSqrtReal(sum);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldDirectFactor(TwofoldDirect d, PetscReal shift)
{
  PetscFunctionBegin;
  PetscCall(d->shared ? FactorShared(d, shift) : FactorAlone(d, shift));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldDirectSolve(TwofoldDirect d, Vec b, Vec x)
{
  PetscFunctionBegin;
  PetscCall(d->shared ? SolveShared(d, b, x) : SolveAlone(d, b, x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldDirectGetMemory(TwofoldDirect d, PetscLogDouble *bytes)
{
  const PetscLogDouble n = (PetscLogDouble)d->n;
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(d->comm, &size));
  *bytes = (PetscLogDouble)sizeof(PetscScalar) *
           (d->shared ? 2 * n * n / size : n * (n + (PetscLogDouble)d->nlocal));
  PetscFunctionReturn(PETSC_SUCCESS);
}
