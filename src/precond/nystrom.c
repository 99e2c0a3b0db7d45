/* nystrom: the randomised Nystroem preconditioner of Frangella, Tropp and Udell (SIAM J. Matrix Anal. Appl.
   44, 2023). With mu >= 0 the problem's own bound of H from below (0 where it gives none), A = H - mu I,
   Omega of r orthonormal columns that are random, and Y = A Omega,

     A ~ Y (Omega^T Y)^+ Y^T = U S U^T      U orthonormal, S = diag(s_1 >= ... >= s_r >= 0)
     P = U (S + mu I) U^T + (s_r + mu) (I - U U^T)
     P^-1 x = U ((S + mu I)^-1 - I / (s_r + mu)) U^T x + x / (s_r + mu)

   which takes H's eigenvalues above s_r + mu to about 1 and leaves those below, so that the condition number
   falls to about (s_r + mu) / lambda_min. (The paper's P^-1 is (s_r + mu) times this one.)

   The core Omega^T Y = Z diag(m) Z^T is inverted on its eigenvalues above rounding, so that P is positive
   whatever H is; B = Y Z m^(-1/2) = Q R by orthogonalisation and R = W T V^T give U = Q W and S = T^2,
   without the loss of small s that B^T B would bring. All products with the n x r panels are SLEPc's BLAS-3;
   every rank makes the r x r decompositions for itself. Omega's entries are keyed by (seed, column, global
   index). */
#include <twofold/impl/precondimpl.h>
#include <petscblaslapack.h>
#include <slepcbv.h>

typedef struct {
  BV U;
  PetscInt r;            /* its columns in use */
  PetscReal *s;          /* eigenvalues of A, falling */
  PetscScalar *c, *gain; /* work of an application; (s + mu)^-1 - (s_r + mu)^-1 */
  PetscReal rest;        /* 1 / (s_r + mu) */
} Nystrom;

/* ------------------------------------------------------------------ small decompositions */

static PetscErrorCode CreateSmall(PetscInt r, Mat *M)
{
  PetscFunctionBegin;
  PetscCall(MatCreateSeqDense(PETSC_COMM_SELF, r, r, NULL, M));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* M <- Z diag(m)^(-1/2) of M = Z diag(m) Z^T, the largest m first; *q of them are above rounding, the others'
   columns are 0. */
static PetscErrorCode InvertRoot(PetscInt r, Mat M, PetscInt *q)
{
  PetscBLASInt n, lwork, info;
  PetscScalar *a, *z, *work;
  PetscReal *m;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(r, &n));
  PetscCall(PetscBLASIntCast(34 * r, &lwork));
  PetscCall(PetscMalloc3(r * r, &z, r, &m, lwork, &work));
  PetscCall(MatDenseGetArray(M, &a));
  for (PetscInt i = 0; i < r; i++)
    for (PetscInt j = 0; j < r; j++) z[i + j * r] = (a[i + j * r] + a[j + i * r]) / 2;
  PetscCallBLAS("LAPACKsyev", LAPACKsyev_("V", "U", &n, z, &n, m, work, &lwork, &info));
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's syev returned %d", (int)info);
  const PetscReal rounding = 10 * PETSC_MACHINE_EPSILON * (PetscReal)r * PetscMax(m[r - 1], 0);
  PetscCall(PetscArrayzero(a, r * r));
  for (*q = 0; *q < r && m[r - 1 - *q] > rounding; (*q)++)
    for (PetscInt i = 0; i < r; i++) a[i + *q * r] = z[i + (r - 1 - *q) * r] / PetscSqrtReal(m[r - 1 - *q]);
  PetscCall(MatDenseRestoreArray(M, &a));
  PetscCall(PetscFree3(z, m, work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The q x q corner of M <- W of its singular value decomposition W diag(t) V^T, t falling. */
static PetscErrorCode LeftVectors(PetscInt r, PetscInt q, Mat M, PetscReal t[])
{
  PetscBLASInt lda, n, lwork, info, one = 1;
  PetscScalar *a, *w, *work;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(r, &lda));
  PetscCall(PetscBLASIntCast(q, &n));
  PetscCall(PetscBLASIntCast(66 * r, &lwork));
  PetscCall(PetscMalloc2(q * q, &w, lwork, &work));
  PetscCall(MatDenseGetArray(M, &a));
  PetscCallBLAS("LAPACKgesvd",
                LAPACKgesvd_("S", "N", &n, &n, a, &lda, t, w, &n, NULL, &one, work, &lwork, &info));
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's gesvd returned %d", (int)info);
  PetscCall(PetscArrayzero(a, r * r));
  for (PetscInt j = 0; j < q; j++) PetscCall(PetscArraycpy(a + j * r, w + j * q, q));
  PetscCall(MatDenseRestoreArray(M, &a));
  PetscCall(PetscFree2(w, work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ build */

static PetscErrorCode CreatePanel(Vec like, PetscInt r, BV *panel)
{
  PetscFunctionBegin;
  PetscCall(BVCreate(PetscObjectComm((PetscObject)like), panel));
  PetscCall(BVSetSizesFromVec(*panel, like, r));
  PetscCall(BVSetType(*panel, BVSVEC));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Omega, orthonormal, and Y = A Omega, column by column. */
static PetscErrorCode Sample(Precond precond, PetscReal mu, BV Omega, BV Y, PetscInt r)
{
  Vec x, y;

  PetscFunctionBegin;
  for (PetscInt j = 0; j < r; j++) {
    PetscCall(BVGetColumn(Omega, j, &x));
    PetscCall(TwofoldVecSetRandomNormal(x, TwofoldRandomBits(precond->seed, j)));
    PetscCall(BVRestoreColumn(Omega, j, &x));
  }
  PetscCall(BVOrthogonalize(Omega, NULL));
  for (PetscInt j = 0; j < r; j++) {
    PetscCall(BVGetColumn(Omega, j, &x));
    PetscCall(BVGetColumn(Y, j, &y));
    PetscCall(BLPLossHessianMult(precond->blp, x, y));
    PetscCall(VecAXPY(y, -mu, x));
    PetscCall(BVRestoreColumn(Y, j, &y));
    PetscCall(BVRestoreColumn(Omega, j, &x));
  }
  precond->products += r;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Y <- U, ny->s <- S; *q columns. */
static PetscErrorCode Decompose(Nystrom *ny, BV Omega, BV Y, PetscInt r, PetscInt *q)
{
  Mat M;

  PetscFunctionBegin;
  PetscCall(CreateSmall(r, &M));
  PetscCall(BVDot(Y, Omega, M)); /* Omega^T Y */
  PetscCall(InvertRoot(r, M, q));
  if (*q > 0) {
    PetscCall(BVMultInPlace(Y, M, 0, *q)); /* B */
    PetscCall(BVSetActiveColumns(Y, 0, *q));
    PetscCall(MatZeroEntries(M));
    PetscCall(BVOrthogonalize(Y, M));
    PetscCall(LeftVectors(r, *q, M, ny->s));
    PetscCall(BVMultInPlace(Y, M, 0, *q));
  }
  for (PetscInt i = 0; i < *q; i++) ny->s[i] *= ny->s[i];
  PetscCall(MatDestroy(&M));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Reset(Nystrom *ny)
{
  PetscFunctionBegin;
  PetscCall(BVDestroy(&ny->U));
  PetscCall(PetscFree3(ny->s, ny->c, ny->gain));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrecondBuild_Nystrom(Precond precond, Vec lambda, Vec w)
{
  Nystrom *ny = (Nystrom *)precond->data;
  TwofoldConstant below;
  PetscInt n, r;
  BV Omega;

  PetscFunctionBegin;
  PetscCall(Reset(ny));
  PetscCall(VecGetSize(w, &n));
  r = PetscMin(precond->rank, n);
  PetscCall(PetscMalloc3(r, &ny->s, r, &ny->c, r, &ny->gain));
  PetscCall(BLPGetStrongConvexity(precond->blp, lambda, &below));
  const PetscReal mu = below.standing != TWOFOLD_UNKNOWN ? below.value : 0;
  PetscCall(CreatePanel(w, r, &Omega));
  PetscCall(CreatePanel(w, r, &ny->U));
  PetscCall(Sample(precond, mu, Omega, ny->U, r));
  PetscCall(Decompose(ny, Omega, ny->U, r, &ny->r));
  PetscCall(BVDestroy(&Omega));
  /* of lower rank than r, A is 0 beyond U, and s_r with it */
  const PetscReal last = ny->r > 0 && (ny->r == r || mu == 0) ? ny->s[ny->r - 1] : 0;
  const PetscReal floor = last + mu;
  ny->rest = floor > 0 ? 1 / floor : 1;
  for (PetscInt i = 0; i < ny->r; i++) ny->gain[i] = 1 / (ny->s[i] + mu) - ny->rest;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ application */

/* y = U diag(gain) U^T x + rest x */
static PetscErrorCode ApplyLowRank(Nystrom *ny, const PetscScalar gain[], PetscReal rest, Vec x, Vec y)
{
  PetscFunctionBegin;
  PetscCall(VecCopy(x, y));
  if (ny->r == 0) {
    PetscCall(VecScale(y, rest));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(BVDotVec(ny->U, x, ny->c));
  for (PetscInt i = 0; i < ny->r; i++) ny->c[i] *= gain[i];
  PetscCall(BVMultVec(ny->U, 1, rest, y, ny->c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrecondApply_Nystrom(Precond precond, Vec x, Vec y)
{
  Nystrom *ny = (Nystrom *)precond->data;

  PetscFunctionBegin;
  PetscCall(ApplyLowRank(ny, ny->gain, ny->rest, x, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* P^(-1/2) = U ((S + mu I)^(-1/2) - (s_r + mu)^(-1/2) I) U^T + (s_r + mu)^(-1/2) I */
static PetscErrorCode PrecondApplyRoot_Nystrom(Precond precond, Vec x, Vec y)
{
  Nystrom *ny = (Nystrom *)precond->data;
  const PetscReal rest = PetscSqrtReal(ny->rest);
  PetscScalar *gain;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(ny->r, &gain));
  for (PetscInt i = 0; i < ny->r; i++) gain[i] = PetscSqrtReal(ny->gain[i] + ny->rest) - rest;
  PetscCall(ApplyLowRank(ny, gain, rest, x, y));
  PetscCall(PetscFree(gain));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrecondSetFromOptions_Nystrom(Precond precond, PetscOptionItems *PetscOptionsObject)
{
  PetscInt rank = precond->rank, seed = (PetscInt)precond->seed;

  PetscFunctionBegin;
  PetscCall(PetscOptionsInt("-precond_rank", "Rank of the approximation, products of a build",
                            "PrecondSetRank", rank, &rank, NULL));
  PetscCall(PetscOptionsInt("-precond_seed", "Of the random numbers", "Precond", seed, &seed, NULL));
  PetscCall(PrecondSetRank(precond, rank));
  precond->seed = seed;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Two panels while it is built. */
static PetscErrorCode PrecondGetMemory_Nystrom(Precond precond, PetscLogDouble *bytes)
{
  PetscInt nlocal, n;
  Vec w;

  PetscFunctionBegin;
  PetscCall(BLPCreateVecs(precond->blp, NULL, &w));
  PetscCall(VecGetLocalSize(w, &nlocal));
  PetscCall(VecGetSize(w, &n));
  PetscCall(VecDestroy(&w));
  *bytes += 2 * (PetscLogDouble)nlocal * (PetscLogDouble)PetscMin(precond->rank, n) * sizeof(PetscScalar);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrecondView_Nystrom(Precond precond, PetscViewer viewer)
{
  Nystrom *ny = (Nystrom *)precond->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer, "rank %" PetscInt_FMT ", seed %" PetscInt64_FMT "\n",
                                   precond->rank, precond->seed));
  if (precond->built && ny->r > 0)
    PetscCall(PetscViewerASCIIPrintf(viewer, "eigenvalues beyond mu of the last: %g .. %g\n",
                                     (double)ny->s[0], (double)ny->s[ny->r - 1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrecondDestroy_Nystrom(Precond precond)
{
  PetscFunctionBegin;
  PetscCall(Reset((Nystrom *)precond->data));
  PetscCall(PetscFree(precond->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondCreate_Nystrom(Precond precond)
{
  Nystrom *ny;

  PetscFunctionBegin;
  PetscCall(PetscNew(&ny));
  precond->data = ny;
  precond->ops->setfromoptions = PrecondSetFromOptions_Nystrom;
  precond->ops->build = PrecondBuild_Nystrom;
  precond->ops->apply = PrecondApply_Nystrom;
  precond->ops->applyroot = PrecondApplyRoot_Nystrom;
  precond->ops->memory = PrecondGetMemory_Nystrom;
  precond->ops->view = PrecondView_Nystrom;
  precond->ops->destroy = PrecondDestroy_Nystrom;
  PetscFunctionReturn(PETSC_SUCCESS);
}
