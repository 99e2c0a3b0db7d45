/* Singular values clipped: A <- U min(Sigma, r) V^T. */
#include "clip.h"

PetscErrorCode LSETClipCreate_Private(PetscInt m, PetscInt n, LSETClip *clip)
{
  const size_t rows = (size_t)m, columns = (size_t)n, q = (size_t)PetscMin(m, n);
  PetscBLASInt info, ask = -1;
  PetscScalar best;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(m, &clip->m));
  PetscCall(PetscBLASIntCast(n, &clip->n));
  PetscCall(PetscBLASIntCast(PetscMin(m, n), &clip->q));
  PetscCall(
      PetscMalloc4(rows * columns, &clip->copy, rows * q, &clip->U, q * columns, &clip->VT, q, &clip->sigma));
  PetscCallBLAS("LAPACKgesvd", LAPACKgesvd_("S", "S", &clip->m, &clip->n, clip->copy, &clip->m, clip->sigma,
                                            clip->U, &clip->m, clip->VT, &clip->q, &best, &ask, &info));
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's gesvd returned %d", (int)info);
  clip->lwork = (PetscBLASInt)best;
  PetscCall(PetscMalloc1((size_t)clip->lwork, &clip->work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETClipDestroy_Private(LSETClip *clip)
{
  PetscFunctionBegin;
  PetscCall(PetscFree4(clip->copy, clip->U, clip->VT, clip->sigma));
  PetscCall(PetscFree(clip->work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The Frobenius norm without overflow or underflow of the squares; NaN where an entry is not finite. */
static PetscReal Norm(size_t n, const PetscScalar A[])
{
  PetscReal largest = 0, sum = 0;

  for (size_t i = 0; i < n; i++) {
    if (PetscIsInfOrNanScalar(A[i])) return (PetscReal)NAN;
    largest = PetscMax(largest, PetscAbsScalar(A[i]));
  }
  if (largest == 0) return 0;
  for (size_t i = 0; i < n; i++) sum += PetscSqr(A[i] / largest);
  return largest * PetscSqrtReal(sum);
}

/* clip->U <- U min(Sigma, r), A <- that times V^T. */
static PetscErrorCode Rebuild(LSETClip *clip, PetscReal r, PetscScalar A[])
{
  const PetscScalar one = 1, zero = 0;

  PetscFunctionBegin;
  for (PetscBLASInt j = 0; j < clip->q; j++) {
    const PetscReal sigma = PetscMin(clip->sigma[j], r);
    PetscScalar *const u = clip->U + (size_t)j * (size_t)clip->m;
    for (PetscBLASInt i = 0; i < clip->m; i++) u[i] *= sigma;
  }
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "N", &clip->m, &clip->n, &clip->q, &one, clip->U, &clip->m,
                                      clip->VT, &clip->q, &zero, A, &clip->m));
  PetscCall(PetscLogFlops(2.0 * clip->m * (PetscLogDouble)clip->n * clip->q));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETClipApply_Private(LSETClip *clip, PetscReal r, PetscScalar A[], PetscBool *clipped,
                                     PetscBLASInt *info)
{
  const size_t size = (size_t)clip->m * (size_t)clip->n;
  const PetscLogDouble longer = PetscMax(clip->m, clip->n), shorter = clip->q;
  const PetscReal norm = Norm(size, A);

  PetscFunctionBegin;
  *info = 0;
  *clipped = PETSC_FALSE;
  if (norm <= r) PetscFunctionReturn(PETSC_SUCCESS); /* no singular value is larger than the norm */
  *clipped = PETSC_TRUE;
  if (PetscIsNanReal(norm)) {
    for (size_t i = 0; i < size; i++) A[i] = (PetscReal)NAN;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PetscArraycpy(clip->copy, A, size));
  PetscCallBLAS("LAPACKgesvd",
                LAPACKgesvd_("S", "S", &clip->m, &clip->n, clip->copy, &clip->m, clip->sigma, clip->U,
                             &clip->m, clip->VT, &clip->q, clip->work, &clip->lwork, info));
  /* Golub and Van Loan's count */
  PetscCall(PetscLogFlops(shorter * (4 * longer * longer + 8 * longer * shorter + 9 * shorter * shorter)));
  *clipped = (PetscBool)(*info == 0 && clip->sigma[0] > r);
  if (*clipped) PetscCall(Rebuild(clip, r, A));
  PetscFunctionReturn(PETSC_SUCCESS);
}
