/* Small dense systems A x = b, solved directly. A is filled column by column from vectors, and every rank
   factors all of it by LAPACK, through a sequential matrix of PETSc: each rank has n x n numbers and its own
   rows of A. */
#include <twofold/impl/sysimpl.h>

struct _TwofoldDirect {
  MPI_Comm comm;
  PetscInt n, nlocal;
  const PetscInt *range;         /* of the ranks; of `like` */
  Vec like;                      /* layout of b and x */
  PetscScalar *rows;             /* this rank's, by columns: nlocal x n */
  PetscMPIInt *counts, *offsets; /* of a vector's pieces */
  Mat factor;                    /* L and U of the whole A */
  Vec b, x;                      /* whole */
};

PetscErrorCode TwofoldDirectCreate(Vec like, TwofoldDirect *direct)
{
  TwofoldDirect d;
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCall(PetscNew(&d));
  d->comm = PetscObjectComm((PetscObject)like);
  PetscCallMPI(MPI_Comm_size(d->comm, &size));
  PetscCall(PetscObjectReference((PetscObject)like));
  d->like = like;
  PetscCall(VecGetSize(like, &d->n));
  PetscCall(VecGetLocalSize(like, &d->nlocal));
  PetscCall(VecGetOwnershipRanges(like, &d->range));
  PetscCall(PetscMalloc3(d->nlocal * d->n, &d->rows, size, &d->counts, size, &d->offsets));
  for (PetscMPIInt r = 0; r < size; r++) {
    PetscCall(PetscMPIIntCast(d->range[r + 1] - d->range[r], &d->counts[r]));
    PetscCall(PetscMPIIntCast(d->range[r], &d->offsets[r]));
  }
  PetscCall(MatCreateSeqDense(PETSC_COMM_SELF, d->n, d->n, NULL, &d->factor));
  PetscCall(MatCreateVecs(d->factor, &d->x, &d->b));
  *direct = d;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldDirectDestroy(TwofoldDirect *direct)
{
  PetscFunctionBegin;
  if (!*direct) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree3((*direct)->rows, (*direct)->counts, (*direct)->offsets));
  PetscCall(MatDestroy(&(*direct)->factor));
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
  PetscCall(VecGetArrayRead(y, &a));
  PetscCall(PetscArraycpy(d->rows + j * d->nlocal, a, d->nlocal));
  PetscCall(VecRestoreArrayRead(y, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldDirectGetNorm(TwofoldDirect d, PetscReal *norm)
{
  PetscReal sum = 0;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < d->nlocal * d->n; i++) sum += PetscSqr(PetscAbsScalar(d->rows[i]));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPIU_SUM, d->comm));
  *norm = PetscSqrtReal(sum);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldDirectFactor(TwofoldDirect d, PetscReal shift)
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

PetscErrorCode TwofoldDirectSolve(TwofoldDirect d, Vec b, Vec x)
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
