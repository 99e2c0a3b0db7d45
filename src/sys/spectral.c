/* Eigenvalues and singular values of shell matrices by SLEPc, in the one way they are wanted here: one pair
   at an end of the spectrum, from a starting vector keyed by global indices, to a residual relative to a
   given scale, within a number of products. */
#include <slepceps.h>
#include <slepcsvd.h>
#include <twofold/impl/sysimpl.h>

/* What the convergence test knows. */
typedef struct {
  const PetscInt *products;
  PetscInt last; /* count at which the pair at hand is taken */
  TwofoldEnd end;
  PetscReal scale; /* 0: the value's own */
  PetscReal limit; /* of the spectrum, known from elsewhere; NaN: none */
} Test;

/* What an eigenvalue is wrong by at least, in this arithmetic. */
static PetscReal Rounding(const Test *test, PetscReal value)
{
  return 100 * PETSC_MACHINE_EPSILON * PetscMax(test->scale, PetscAbsReal(value));
}

/* A Ritz value at an end of the spectrum lies inside it. Where a bound from outside is known, the true value
   is between the two, and that may be narrower than the residual: where eigenvalues crowd at the end, Ritz
   values get there long before any vector does. */
static PetscReal Enclose(const Test *test, PetscReal value, PetscReal residual)
{
  const PetscReal gap = test->end == TWOFOLD_SMALLEST ? value - test->limit : test->limit - value;
  const PetscBool nearer = (PetscBool)(gap >= -Rounding(test, value) && gap < residual); /* not for NaN */

  return PetscMax(nearer ? gap : residual, Rounding(test, value));
}

/* Beyond the limit whatever there is counts as converged, so that it can be had at all: its recomputed
   residual tells what it is worth. */
static PetscReal Judge(const Test *test, PetscReal value, PetscReal residual)
{
  const PetscReal scale = test->scale > 0 ? test->scale : PetscAbsReal(value);

  const PetscReal error = Enclose(test, value, residual);

  if (*test->products >= test->last) return 0;
  return scale > 0 ? error / scale : error;
}

static PetscErrorCode JudgeEigenpair(EPS eps, PetscScalar re, PetscScalar im, PetscReal residual,
                                     PetscReal *error, void *ctx)
{
  PetscFunctionBegin;
  (void)eps;
  const Test *const test = (const Test *)ctx;
  *error = Judge(test, test->end == TWOFOLD_RADIUS ? SlepcAbsEigenvalue(re, im) : re, residual);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode JudgeTriplet(SVD svd, PetscReal sigma, PetscReal residual, PetscReal *error, void *ctx)
{
  PetscFunctionBegin;
  (void)svd;
  *error = Judge((const Test *)ctx, sigma, residual);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckSettings(MPI_Comm comm, const TwofoldSpectral *how)
{
  PetscFunctionBegin;
  PetscCheck(how->tol > 0 && how->tol < 1, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "tolerance %g of an eigenvalue: must be in (0, 1)", (double)how->tol);
  PetscCheck(how->max_products > 0, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "%" PetscInt_FMT " products for an eigenvalue: must be positive", how->max_products);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A starting vector, and whether A takes it to 0: then A is 0 but for a set of seeds of measure 0, and there
   is no Krylov space. */
static PetscErrorCode Start(Mat A, PetscInt64 seed, Vec *x, PetscBool *zero)
{
  PetscReal norm;
  Vec y;

  PetscFunctionBegin;
  PetscCall(MatCreateVecs(A, x, &y));
  PetscCall(TwofoldVecSetRandomNormal(*x, seed));
  PetscCall(MatMult(A, *x, y));
  PetscCall(VecNorm(y, NORM_2, &norm));
  *zero = (PetscBool)(norm == 0);
  PetscCall(VecDestroy(&y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SetUpEPS(EPS eps, PetscInt n, TwofoldEnd end, const TwofoldSpectral *how)
{
  const EPSWhich which[] = {EPS_LARGEST_REAL, EPS_SMALLEST_REAL, EPS_LARGEST_MAGNITUDE};

  PetscFunctionBegin;
  if (end ==
      TWOFOLD_RADIUS) /* maps with momentum have whole circles of eigenvalues: no restart finds its way */
    PetscCall(EPSSetDimensions(eps, 1, PetscMin(n, 100), PETSC_DEFAULT));
  PetscCall(EPSSetProblemType(eps, end == TWOFOLD_RADIUS ? EPS_NHEP : EPS_HEP));
  PetscCall(EPSSetWhichEigenpairs(eps, which[end]));
  PetscCall(EPSSetTolerances(eps, how->tol, how->max_products)); /* a restart makes a product at least */
  if (!how->prefix) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(EPSSetOptionsPrefix(eps, how->prefix));
  PetscCall(EPSSetFromOptions(eps));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldEigenvalue(Mat A, TwofoldEnd end, const PetscInt *products, PetscReal scale,
                                 PetscReal limit, const TwofoldSpectral *how, TwofoldConstant *c)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)A);
  const PetscInt before = *products;
  Test test = {
      .products = products, .last = before + how->max_products, .end = end, .scale = scale, .limit = limit};
  PetscScalar re, im;
  PetscInt found, n;
  PetscBool zero;
  EPS eps;
  Vec x;

  PetscFunctionBegin;
  PetscCall(CheckSettings(comm, how));
  *c =
      (TwofoldConstant){.standing = TWOFOLD_COMPUTED, .origin = "0: the operator takes a random vector to 0"};
  PetscCall(Start(A, how->seed, &x, &zero));
  if (!zero) {
    *c = (TwofoldConstant){.value = NAN, .error = NAN, .origin = "SLEPc found no eigenvalue"};
    PetscCall(MatGetSize(A, &n, NULL));
    PetscCall(EPSCreate(comm, &eps));
    PetscCall(EPSSetOperators(eps, A, NULL));
    PetscCall(SetUpEPS(eps, n, end, how));
    PetscCall(EPSSetInitialSpace(eps, 1, &x));
    PetscCall(EPSSetConvergenceTestFunction(eps, JudgeEigenpair, &test, NULL));
    PetscCall(EPSSolve(eps));
    PetscCall(EPSGetConverged(eps, &found));
    if (found > 0) {
      c->standing = TWOFOLD_COMPUTED;
      PetscCall(EPSGetEigenvalue(eps, 0, &re, &im));
      c->value = end == TWOFOLD_RADIUS ? SlepcAbsEigenvalue(re, im) : PetscRealPart(re);
      PetscCall(EPSComputeError(eps, 0, EPS_ERROR_ABSOLUTE, &c->error));
      c->error = Enclose(&test, c->value, c->error);
    }
    PetscCall(EPSDestroy(&eps));
  }
  c->products = *products - before;
  PetscCall(VecDestroy(&x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SetUpSVD(SVD svd, const TwofoldSpectral *how)
{
  PetscFunctionBegin;
  PetscCall(SVDSetType(svd, SVDTRLANCZOS));
  PetscCall(SVDSetWhichSingularTriplets(svd, SVD_LARGEST));
  PetscCall(SVDSetTolerances(svd, how->tol, how->max_products));
  if (!how->prefix) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(SVDSetOptionsPrefix(svd, how->prefix));
  PetscCall(SVDSetFromOptions(svd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldSingularValue(Mat A, const PetscInt *products, const TwofoldSpectral *how,
                                    TwofoldConstant *c)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)A);
  const PetscInt before = *products;
  Test test = {
      .products = products, .last = before + how->max_products, .end = TWOFOLD_LARGEST, .limit = NAN};
  PetscInt found;
  PetscBool zero;
  SVD svd;
  Vec x;

  PetscFunctionBegin;
  PetscCall(CheckSettings(comm, how));
  *c =
      (TwofoldConstant){.standing = TWOFOLD_COMPUTED, .origin = "0: the operator takes a random vector to 0"};
  PetscCall(Start(A, how->seed, &x, &zero));
  if (!zero) {
    *c = (TwofoldConstant){.value = NAN, .error = NAN, .origin = "SLEPc found no singular value"};
    PetscCall(SVDCreate(comm, &svd));
    PetscCall(SVDSetOperators(svd, A, NULL));
    PetscCall(SetUpSVD(svd, how));
    PetscCall(SVDSetInitialSpaces(svd, 1, &x, 0, NULL));
    PetscCall(SVDSetConvergenceTestFunction(svd, JudgeTriplet, &test, NULL));
    PetscCall(SVDSolve(svd));
    PetscCall(SVDGetConverged(svd, &found));
    if (found > 0) {
      c->standing = TWOFOLD_COMPUTED;
      PetscCall(SVDGetSingularTriplet(svd, 0, &c->value, NULL, NULL));
      PetscCall(SVDComputeError(svd, 0, SVD_ERROR_ABSOLUTE, &c->error));
      c->error = Enclose(&test, c->value, c->error);
    }
    PetscCall(SVDDestroy(&svd));
  }
  c->products = *products - before;
  PetscCall(VecDestroy(&x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldSpectralHear(MPI_Comm comm, const char prefix[])
{
  EPS eps;
  SVD svd;

  PetscFunctionBegin;
  PetscCall(EPSCreate(comm, &eps));
  PetscCall(EPSSetOptionsPrefix(eps, prefix));
  PetscCall(EPSSetFromOptions(eps));
  PetscCall(EPSDestroy(&eps));
  PetscCall(SVDCreate(comm, &svd));
  PetscCall(SVDSetOptionsPrefix(svd, prefix));
  PetscCall(SVDSetType(svd, SVDTRLANCZOS));
  PetscCall(SVDSetFromOptions(svd));
  PetscCall(SVDDestroy(&svd));
  PetscFunctionReturn(PETSC_SUCCESS);
}
