/* Ties: a linear map between the lambda that the outside sees, theta, and the one a problem's formulas use:

     lambda = T theta,     E(w, T theta)   and so   grad2 E  -> T^T grad2 E
                           l(w, T theta)            C = d/dlambda grad_w l  -> C T

   Where T is the identity there is none: nothing is stored, copied or computed. With a problem's lambda
   interlaced, entry (j, k) = column k of row j,

     feature   lambda_jk = theta_j         class    lambda_jk = theta_k
     weight    lambda_jk = theta_jk        scalar   lambda_jk = theta
*/
#include <petscmat.h>
#include <twofold/impl/blpimpl.h>

const char *const BLPTies[] = {"own", "feature", "class", "weight", "scalar", "BLPTie", "BLP_TIE_", NULL};

PetscErrorCode BLPTieReset_Private(BLP blp)
{
  PetscFunctionBegin;
  PetscCall(MatDestroy(&blp->tie.T));
  PetscCall(VecDestroy(&blp->tie.lambda));
  PetscCall(VecDestroy(&blp->tie.work));
  blp->tie.seen = (TwofoldSeen){0};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ making T */

/* Each row of T has a single 1: in the column of theta's entry that lambda's is tied to. */
static PetscErrorCode CreateTied(Vec lambda, BLPTie kind, Mat *T)
{
  PetscInt nlocal, first, bs, *rowptr, *column, n = PETSC_DECIDE, N = PETSC_DETERMINE;
  PetscScalar *one;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(lambda, &nlocal));
  PetscCall(VecGetOwnershipRange(lambda, &first, NULL));
  PetscCall(VecGetBlockSize(lambda, &bs));
  PetscCall(PetscMalloc3(nlocal + 1, &rowptr, nlocal, &column, nlocal, &one));
  for (PetscInt i = 0; i < nlocal; i++) {
    const PetscInt j = (first + i) / bs, k = (first + i) % bs;
    rowptr[i] = i;
    column[i] = kind == BLP_TIE_FEATURE ? j : kind == BLP_TIE_CLASS ? k : 0;
    one[i] = 1;
  }
  rowptr[nlocal] = nlocal;
  if (kind == BLP_TIE_FEATURE)
    n = nlocal / bs;
  else
    N = kind == BLP_TIE_CLASS ? bs : 1;
  PetscCall(MatCreate(PetscObjectComm((PetscObject)lambda), T));
  PetscCall(MatSetSizes(*T, nlocal, n, PETSC_DETERMINE, N));
  PetscCall(MatSetType(*T, MATAIJ));
  PetscCall(MatSeqAIJSetPreallocationCSR(*T, rowptr, column, one));
  PetscCall(MatMPIAIJSetPreallocationCSR(*T, rowptr, column, one));
  PetscCall(PetscFree3(rowptr, column, one));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* T of -blp_lambda_tie, or NULL. */
static PetscErrorCode CreateTie(BLP blp, Vec lambda)
{
  const BLPTie kind = blp->tie.kind;
  PetscInt bs;

  PetscFunctionBegin;
  PetscCall(VecGetBlockSize(lambda, &bs));
  PetscCheck(
      kind != BLP_TIE_CLASS || bs > 1, PetscObjectComm((PetscObject)blp), PETSC_ERR_SUP,
      "-blp_lambda_tie class: the lambda of problem %s has no classes (one entry a row); take feature, "
      "weight or scalar",
      ((PetscObject)blp)->type_name);
  if (kind == BLP_TIE_OWN || kind == BLP_TIE_WEIGHT || (kind == BLP_TIE_FEATURE && bs == 1))
    PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(CreateTied(lambda, kind, &blp->tie.T));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* T of BLPSetLambdaMap(), laid out as the problem's lambda. */
static PetscErrorCode TakeMap(BLP blp, Vec lambda)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  PetscInt N, n, rows, rowslocal, columns;
  PetscBool fits;

  PetscFunctionBegin;
  PetscCheck(blp->tie.kind == BLP_TIE_OWN || blp->tie.kind == BLP_TIE_WEIGHT, comm, PETSC_ERR_ARG_INCOMP,
             "-blp_lambda_tie %s and BLPSetLambdaMap() exclude each other", BLPTies[blp->tie.kind]);
  PetscCall(VecGetSize(lambda, &N));
  PetscCall(VecGetLocalSize(lambda, &n));
  PetscCall(MatGetSize(blp->tie.given, &rows, &columns));
  PetscCall(MatGetLocalSize(blp->tie.given, &rowslocal, NULL));
  fits = (PetscBool)(rows == N && rowslocal == n);
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &fits, 1, MPIU_BOOL, MPI_LAND, comm));
  PetscCheck(fits, comm, PETSC_ERR_ARG_SIZ,
             "BLPSetLambdaMap(): the matrix has %" PetscInt_FMT
             " rows, the lambda of problem %s %" PetscInt_FMT
             " entries; they must also be dealt to the ranks alike",
             rows, ((PetscObject)blp)->type_name, N);
  PetscCheck(columns > 0, comm, PETSC_ERR_ARG_SIZ, "BLPSetLambdaMap(): the matrix has no columns");
  PetscCall(PetscObjectReference((PetscObject)blp->tie.given));
  blp->tie.T = blp->tie.given;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPTieSetUp_Private(BLP blp)
{
  Vec lambda;

  PetscFunctionBegin;
  PetscCall(BLPTieReset_Private(blp));
  PetscUseTypeMethod(blp, createvecs, &lambda, NULL);
  if (blp->tie.given)
    PetscCall(TakeMap(blp, lambda));
  else
    PetscCall(CreateTie(blp, lambda));
  if (blp->tie.T) {
    PetscCall(MatGetSize(blp->tie.T, NULL, &blp->tie.n));
    PetscCall(VecDuplicate(lambda, &blp->tie.work));
    blp->tie.lambda = lambda;
  } else {
    PetscCall(VecDestroy(&lambda));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ there and back */

PetscErrorCode BLPTieCreateVec_Private(BLP blp, Vec *theta)
{
  PetscFunctionBegin;
  if (blp->tie.T)
    PetscCall(MatCreateVecs(blp->tie.T, theta, NULL));
  else
    PetscUseTypeMethod(blp, createvecs, theta, NULL);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPTieLambda_Private(BLP blp, Vec theta, Vec *lambda)
{
  PetscInt references;
  PetscBool changed;

  PetscFunctionBegin;
  *lambda = blp->tie.T ? blp->tie.lambda : theta;
  if (!blp->tie.T) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldHasChanged(1, &theta, &blp->tie.seen, &changed));
  if (!changed) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscObjectGetReference((PetscObject)blp->tie.lambda, &references));
  if (references > 1) { /* somebody keeps it as the point of a linearisation: that one stays as it is */
    PetscCall(VecDestroy(&blp->tie.lambda));
    PetscCall(VecDuplicate(blp->tie.work, &blp->tie.lambda));
  }
  PetscCall(MatMult(blp->tie.T, theta, blp->tie.lambda));
  *lambda = blp->tie.lambda;
  PetscCall(TwofoldSee(theta, &blp->tie.seen));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPTieDirection_Private(BLP blp, Vec u, Vec *own)
{
  PetscFunctionBegin;
  *own = blp->tie.T ? blp->tie.work : u;
  if (blp->tie.T) PetscCall(MatMult(blp->tie.T, u, *own));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPTieResult_Private(BLP blp, Vec own, Vec g)
{
  PetscFunctionBegin;
  if (g && own != g) PetscCall(MatMultTranspose(blp->tie.T, own, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||T||_2 <= sqrt(||T||_1 ||T||_inf), with equality for ties, whose columns have disjoint ones. */
PetscErrorCode BLPTieGetNorm_Private(BLP blp, PetscReal *norm)
{
  PetscReal columns, rows;

  PetscFunctionBegin;
  *norm = 1;
  if (!blp->tie.T) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(MatNorm(blp->tie.T, NORM_1, &columns));
  PetscCall(MatNorm(blp->tie.T, NORM_INFINITY, &rows));
  *norm = PetscSqrtReal(columns) * PetscSqrtReal(rows);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ what a caller sets and sees */

PetscErrorCode BLPSetTie(BLP blp, BLPTie kind)
{
  PetscFunctionBegin;
  if (kind == blp->tie.kind) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(!blp->setup, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONGSTATE,
             "the problem is set up with -blp_lambda_tie %s: BLPSetTie() goes before BLPSetUp()",
             BLPTies[blp->tie.kind]);
  blp->tie.kind = kind;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetTie(BLP blp, BLPTie *kind)
{
  PetscFunctionBegin;
  *kind = blp->tie.kind;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSetLambdaMap(BLP blp, Mat T)
{
  PetscFunctionBegin;
  if (T) PetscCall(PetscObjectReference((PetscObject)T));
  PetscCall(MatDestroy(&blp->tie.given));
  blp->tie.given = T;
  if (blp->setup) {
    PetscCall(BLPTieSetUp_Private(blp));
    PetscCall(BLPSetUpBounds_Private(blp));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPTieView_Private(BLP blp, PetscViewer viewer)
{
  const char *const what = blp->tie.given ? "any linear map" : BLPTies[blp->tie.kind];
  PetscInt n;

  PetscFunctionBegin;
  if (blp->setup) PetscCall(BLPGetSizes(blp, &n, NULL));
  if (blp->setup)
    PetscCall(PetscViewerASCIIPrintf(viewer, "lambda: %" PetscInt_FMT " entries, tie %s\n", n, what));
  else
    PetscCall(PetscViewerASCIIPrintf(viewer, "lambda: tie %s\n", what));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPTieGetMemory_Private(BLP blp, PetscLogDouble *bytes)
{
  MatInfo info;
  PetscInt n;

  PetscFunctionBegin;
  if (!blp->tie.T) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecGetLocalSize(blp->tie.lambda, &n));
  *bytes += 2.0 * (PetscLogDouble)n * sizeof(PetscScalar);
  if (blp->tie.given) PetscFunctionReturn(PETSC_SUCCESS); /* its owner counts it */
  PetscCall(MatGetInfo(blp->tie.T, MAT_LOCAL, &info));
  *bytes += info.nz_used * (PetscLogDouble)(sizeof(PetscScalar) + sizeof(PetscInt)) +
            (PetscLogDouble)n * sizeof(PetscInt);
  PetscFunctionReturn(PETSC_SUCCESS);
}
