/* The exact hypergradient against dense references, at small and large condition numbers; Newton's method
   where its plain step goes astray; what is refused. */
#include <twofold/blpuser.h>
#include "dense.h"

/* lambda = shift + scale N(0, 1), as far as the problem admits it */
typedef struct {
  BLPType type;
  Synthetic spec;
  PetscReal scale, shift;
} Case;

/* The extreme singular values of I - d1Phi at w. */
static PetscErrorCode Extremes(const Dense *d, FPMType map, const PetscReal l[], const PetscReal w[],
                               PetscReal *smallest, PetscReal *largest)
{
  const DenseMap phi = {map, 1, 0};
  const PetscInt n = d->nw;
  PetscReal *A, *B, *AA, *e;

  PetscFunctionBegin;
  PetscCall(PetscMalloc4(n * n, &A, n * d->nlambda, &B, n * n, &AA, n, &e));
  PetscCall(DenseMapDerivatives(d, &phi, l, w, A, B));
  for (PetscInt i = 0; i < n * n; i++) A[i] = (i % (n + 1) == 0 ? 1 : 0) - A[i];
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt j = 0; j < n; j++) {
      long double sum = 0;
      for (PetscInt k = 0; k < n; k++) sum += (long double)A[k * n + i] * A[k * n + j];
      AA[i * n + j] = (PetscReal)sum;
    }
  const PetscBool loss = (PetscBool)!strcmp(map, FPMGD); /* A is its Hessian */
  PetscCall(DenseEigenvalues(n, loss ? A : AA, e));
  *smallest = loss ? e[0] : PetscSqrtReal(e[0]);
  *largest = loss ? e[n - 1] : PetscSqrtReal(e[n - 1]);
  PetscCall(PetscFree4(A, B, AA, e));
  PetscFunctionReturn(0);
}

/* What the rounding of the Hessian leaves of the digits of a solution. */
static PetscReal Tolerance(PetscReal kappa)
{
  return 1e-12 + 4 * kappa * PETSC_MACHINE_EPSILON;
}

static PetscErrorCode CheckAdjoint(HG hg, const Dense *d, FPMType map, const PetscReal l[],
                                   const PetscReal w[], PetscReal tol)
{
  const DenseMap phi = {map, 1, 0};
  PetscReal *v, *g, difference;
  State x;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(d->nw, &v, d->nlambda, &g));
  PetscCall(DenseImplicit(d, &phi, l, w, v, g));
  PetscCall(HGGetAdjoint(hg, &x));
  CHECK(x && x->n == 1, "an adjoint of one vector");
  PetscCall(VecDifference(x->v[0], v, &difference));
  CHECK(difference <= tol, "v differs by %g", difference);
  PetscCall(PetscFree2(v, g));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckReport(HG hg, PetscReal tol, PetscReal size)
{
  HGReport r;

  PetscFunctionBegin;
  PetscCall(HGGetReport(hg, &r));
  CHECK(r.reason == HG_CONVERGED_RTOL && r.lower_reason == LLS_CONVERGED_RTOL, "ended by %s, %s",
        HGConvergedReasons[r.reason], LLSConvergedReasons[r.lower_reason]);
  CHECK(r.lower_its > 0 && r.lower_its <= 20, "%d Newton steps", (int)r.lower_its);
  CHECK(r.adjoint_its == 1 && r.adjoint_residual >= 0 && r.adjoint_residual <= tol, "adjoint residual %g",
        r.adjoint_residual);
  CHECK(r.lower_change >= 0 && r.lower_change <= 1e-13 * size, "lower residual %g", r.lower_change);
  PetscFunctionReturn(0);
}

static PetscErrorCode AgainstDense(const Case *c, PetscReal least_kappa, PetscReal most_kappa)
{
  const FPMType map = c->spec.map ? FPMPROBLEM : FPMGD;
  PetscReal *l, *w, *g, f, f_dense, f_alone, in_w, in_g, smallest = 1, largest = 1;
  Dense *d;
  BLP blp;
  Vec lambda, gradient;
  State x;
  HG hg;

  PetscFunctionBegin;
  PetscCall(DenseCreate(c->type, &c->spec, &d));
  PetscCall(SyntheticProblem(TEST_COMM, c->type, &c->spec, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &gradient));
  PetscCall(SyntheticLambda(blp, &c->spec, 7, c->scale, c->shift, lambda));
  PetscCall(PetscMalloc3(d->nlambda, &l, d->nw, &w, d->nlambda, &g));
  PetscCall(VecGather(lambda, l));
  PetscCall(DenseExact(d, l, w, &f_dense, g));
  PetscCall(Extremes(d, map, l, w, &smallest, &largest));
  const PetscReal kappa = largest / smallest;
  CHECK(kappa >= least_kappa && kappa <= most_kappa, "condition number %g", kappa);
  PetscCall(HGMake(blp, NULL, "-hg_type exact -hg_exact_closed_form 0", &hg));
  for (int again = 0; again < 2; again++) { /* it starts from 0 each time */
    PetscCall(HGSolve(hg, lambda, &f, gradient));
    PetscCall(CheckReport(hg, Tolerance(kappa), 1 + largest));
    PetscCall(HGGetState(hg, &x));
    PetscCall(VecDifference(x->v[0], w, &in_w));
    PetscCall(VecDifference(gradient, g, &in_g));
    CHECK_CLOSE(f, f_dense, Tolerance(kappa), "f");
    CHECK(in_w <= Tolerance(kappa) && in_g <= Tolerance(kappa), "%s, kappa %g: w differs by %g, g by %g",
          c->type, kappa, in_w, in_g);
    PetscCall(HGAccept(hg));
  }
  PetscCall(CheckAdjoint(hg, d, map, l, w, Tolerance(kappa)));
  PetscCall(HGEvaluate(hg, lambda, &f_alone));
  CHECK(f_alone == f, "f alone %.17g, with its gradient %.17g", f_alone, f);
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&gradient));
  PetscCall(BLPDestroy(&blp));
  PetscCall(DenseDestroy(&d));
  PetscCall(PetscFree3(l, w, g));
  PetscFunctionReturn(0);
}

/* Every problem and every kind of lower level that there is. */
static PetscErrorCode AllTypes(void)
{
  const Synthetic plain = {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1};
  const char **types;
  PetscInt ntypes;
  Case c;

  PetscFunctionBegin;
  PetscCall(BLPGetRegistered(&ntypes, &types));
  for (PetscInt t = 0; t < ntypes; t++) {
    const SyntheticType own = SyntheticGetType(types[t]);
    c = (Case){types[t], plain, 0.5, 1};
    if (!own.only_map) PetscCall(AgainstDense(&c, 1, 1e6));
    c.spec.map = own.has_map;
    if (c.spec.map) PetscCall(AgainstDense(&c, 1, 1e6));
  }
  PetscCall(PetscFree(types));
  PetscFunctionReturn(0);
}

/* With the unpenalised bias H is singular: w is not unique, f and its gradient are. */
static PetscErrorCode SingularHessian(void)
{
  const Synthetic spec = {.n = {13, 11, 0}, .p = 4, .c = 3, .density = 0.7, .bias = PETSC_TRUE, .seed = 2};
  PetscReal f, f_aid, difference;
  Vec lambda, g, g_aid;
  BLP blp;
  HG hg;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &spec, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(VecDuplicate(lambda, &g_aid));
  PetscCall(TwofoldVecSetRandomNormal(lambda, 7));
  PetscCall(VecShift(lambda, 1));
  PetscCall(HGMake(blp, NULL, "-hg_type exact", &hg));
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(CheckReport(hg, 1e-13, 1));
  PetscCall(HGDestroy(&hg));
  PetscCall(HGMake(blp, NULL, "-hg_type aid -hg_ksp_rtol 1e-14 -lls_max_it 20000 -lls_rtol 1e-15", &hg));
  PetscCall(HGSolve(hg, lambda, &f_aid, g_aid));
  PetscCall(HGDestroy(&hg));
  PetscCall(RelativeDifference(g, g_aid, &difference));
  CHECK_CLOSE(f, f_aid, 1e-12, "f with a bias");
  CHECK(difference <= 1e-11, "with a bias g differs from aid's by %g", difference);
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&g_aid));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ closed forms */

/* f, g and w of a quadratic problem by Newton's method and a direct solve, against its closed form; the
   coupling makes the Hessian depend on lambda. */
static PetscErrorCode AgainstClosedForm(PetscBool map, PetscReal kappa, HGExactSolver solver)
{
  const char *const direct[] = {"-hg_type exact -hg_exact_closed_form 0",
                                "-hg_type exact -hg_exact_closed_form 0 -hg_exact_solver lapack",
                                "-hg_type exact -hg_exact_closed_form 0 -hg_exact_solver scalapack"};
  const QuadraticSpec spec = {.n = 30,
                              .m = 7,
                              .seed = 3,
                              .mu = 1 / kappa,
                              .L = 1,
                              .beta = 0.7, //
                              .gamma = map ? 0 : 0.1 / kappa,
                              .eta1 = 1.3,
                              .eta2 = 0.6,
                              .map = map};
  PetscReal f[2], difference;
  HGReport r;
  State x[2], v;
  Vec lambda, g[2];
  BLP blp;
  HG hg[2];

  PetscFunctionBegin;
  PetscCall(QuadraticProblem(TEST_COMM, &spec, "", &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(TwofoldVecSetRandomNormal(lambda, 7));
  for (int i = 0; i < 2; i++) {
    PetscCall(VecDuplicate(lambda, &g[i]));
    PetscCall(HGMake(blp, NULL, i ? direct[solver] : "-hg_type exact -hg_exact_max_size 1", &hg[i]));
    PetscCall(HGSolve(hg[i], lambda, &f[i], g[i]));
    PetscCall(HGGetState(hg[i], &x[i]));
  }
  PetscCall(HGGetReport(hg[0], &r));
  CHECK(r.reason == HG_CONVERGED_RTOL && r.lower_its == 0 && r.adjoint_its == 0 && r.adjoint_residual == -1,
        "closed form: %s, %d steps", HGConvergedReasons[r.reason], (int)r.lower_its);
  PetscCall(HGGetAdjoint(hg[0], &v));
  CHECK(!v, "an adjoint in closed form");
  PetscCall(HGGetReport(hg[1], &r));
  CHECK(r.reason == HG_CONVERGED_RTOL && r.lower_its > 0 && r.lower_its <= 4, "quadratic: %s after %d steps",
        HGConvergedReasons[r.reason], (int)r.lower_its);
  CHECK_CLOSE(f[1], f[0], Tolerance(kappa), "f of a quadratic problem");
  PetscCall(RelativeDifference(g[1], g[0], &difference));
  CHECK(difference <= Tolerance(kappa), "kappa %g: g differs from the closed form by %g", kappa, difference);
  PetscCall(RelativeDifference(x[1]->v[0], x[0]->v[0], &difference));
  CHECK(difference <= Tolerance(kappa), "kappa %g: w differs from the closed form by %g", kappa, difference);
  PetscCall(HGTest(hg[0], lambda, NULL));
  for (int i = 0; i < 2; i++) {
    PetscCall(HGDestroy(&hg[i]));
    PetscCall(VecDestroy(&g[i]));
  }
  PetscCall(VecDestroy(&lambda));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ScaLAPACK shares the matrix out, where every rank has some of it. */
static PetscErrorCode Shared(void)
{
  const QuadraticSpec spec = {
      .n = 30, .m = 7, .seed = 3, .mu = 0.1, .L = 1, .beta = 0.7, .eta1 = 1.3, .eta2 = 0.6};
  PetscLogDouble alone, shared;
  PetscMPIInt size;
  BLP blp;
  HG hg;

  PetscFunctionBegin;
  if (!PetscDefined(HAVE_SCALAPACK)) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCall(QuadraticProblem(TEST_COMM, &spec, "", &blp));
  PetscCall(HGMake(blp, NULL, "-hg_type exact -hg_exact_closed_form 0", &hg)); /* auto: small, so by LAPACK */
  PetscCall(HGGetMemory(hg, &alone));
  PetscCall(HGExactSetSolver(hg, HG_EXACT_SCALAPACK));
  PetscCall(HGGetMemory(hg, &shared));
  const PetscReal saved = alone - shared, square = (PetscReal)(spec.n * spec.n) * sizeof(PetscScalar);
  CHECK(size > 1 ? saved > square * (1 - 2.0 / size) - 1e-9 : saved == 0, "%g bytes alone, %g shared by %d",
        alone, shared, (int)size);
  PetscCall(HGDestroy(&hg));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ Newton's method */

/* l = sum_i log cosh(w_i - 20) + exp(lambda) w_i^2 / 2, E = sum_i w_i: from 0 the Hessian is nearly
   exp(lambda), and a plain Newton step goes to 1 / exp(lambda) and back for ever. */
static const PetscReal far = 20;

static PetscErrorCode FarUpper(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2, void *ctx)
{
  PetscScalar sum;

  PetscFunctionBegin;
  (void)blp, (void)lambda, (void)ctx;
  PetscCall(VecSum(w, &sum));
  *E = sum;
  if (g1) PetscCall(VecSet(g1, 1));
  if (g2) PetscCall(VecZeroEntries(g2));
  PetscFunctionReturn(0);
}

static PetscErrorCode Weight(Vec lambda, PetscReal *weight)
{
  PetscScalar sum;

  PetscFunctionBegin;
  PetscCall(VecSum(lambda, &sum));
  *weight = PetscExpReal(sum);
  PetscFunctionReturn(0);
}

static PetscErrorCode FarGradient(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g, void *ctx)
{
  PetscReal weight = 0;

  PetscFunctionBegin;
  (void)blp, (void)ctx;
  if (l) *l = 0; /* nobody asks for it */
  PetscCall(Weight(lambda, &weight));
  PetscCall(VecCopy(w, g));
  PetscCall(VecShift(g, -far));
  PetscCall(UserApply(g, tanh));
  PetscCall(VecAXPY(g, weight, w));
  PetscFunctionReturn(0);
}

static PetscErrorCode FarHessian(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  PetscReal weight = 0;

  PetscFunctionBegin;
  (void)blp, (void)ctx;
  PetscCall(Weight(lambda, &weight));
  PetscCall(VecCopy(w, y));
  PetscCall(VecShift(y, -far));
  PetscCall(UserApply(y, UserSech2));
  PetscCall(VecShift(y, weight));
  PetscCall(VecPointwiseMult(y, y, v));
  PetscFunctionReturn(0);
}

static PetscErrorCode FarCross(BLP blp, Vec lambda, Vec w, Vec u, Vec y, void *ctx)
{
  PetscReal weight = 0;
  PetscScalar sum;

  PetscFunctionBegin;
  (void)blp, (void)ctx;
  PetscCall(Weight(lambda, &weight));
  PetscCall(VecSum(u, &sum));
  PetscCall(VecCopy(w, y));
  PetscCall(VecScale(y, weight * sum));
  PetscFunctionReturn(0);
}

static PetscErrorCode FarCrossTranspose(BLP blp, Vec lambda, Vec w, Vec v, Vec g, void *ctx)
{
  PetscReal weight = 0;
  PetscScalar dot;

  PetscFunctionBegin;
  (void)blp, (void)ctx;
  PetscCall(Weight(lambda, &weight));
  PetscCall(VecDot(w, v, &dot));
  PetscCall(VecSet(g, weight * dot));
  PetscFunctionReturn(0);
}

/* The root of tanh(w - far) + weight w by bisection; f = n w, f' = -n weight w / (sech^2(w - far) + weight).
 */
static PetscErrorCode Damping(void)
{
  const PetscInt n = 5;
  const PetscReal weight = 1e-2;
  PetscReal low = 0, high = far, f;
  HGReport r;
  Vec lambda, g;
  BLP blp;
  HG hg;

  PetscFunctionBegin;
  for (int i = 0; i < 200; i++) {
    const PetscReal w = (low + high) / 2;
    if (PetscTanhReal(w - far) + weight * w > 0)
      high = w;
    else
      low = w;
  }
  PetscCall(BLPCreate(TEST_COMM, &blp));
  PetscCall(BLPSetType(blp, BLPUSER));
  PetscCall(BLPUserSetSizes(blp, PETSC_DECIDE, 1, PETSC_DECIDE, n));
  PetscCall(BLPUserSetUpper(blp, FarUpper));
  PetscCall(BLPUserSetLoss(blp, FarGradient, FarHessian, FarCross, FarCrossTranspose));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(VecSet(lambda, PetscLogReal(weight)));
  PetscCall(HGMake(blp, NULL, "-hg_type exact", &hg));
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(HGGetReport(hg, &r));
  CHECK(r.reason == HG_CONVERGED_RTOL && r.lower_its > 2 && r.lower_its < 60, "damped: %s after %d steps",
        HGConvergedReasons[r.reason], (int)r.lower_its);
  CHECK_CLOSE(f, n * low, 1e-13, "f by damped steps");
  PetscScalar slope;
  PetscCall(VecSum(g, &slope));
  CHECK_CLOSE(slope, -n * weight * low / (UserSech2(low - far) + weight), 1e-11, "its gradient");
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ refusals, reasons, tests */

static PetscErrorCode Refusals(void)
{
  const Synthetic spec = {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1};
  PetscReal f;
  HGReport r;
  Vec lambda, g;
  BLP blp;
  KSP ksp;
  HG hg;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &spec, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(HGMake(blp, NULL, "-hg_type exact -hg_exact_max_size 15", &hg)); /* w has 15 entries */
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, HGGetKSP(hg, &ksp));
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, HGITDSetTruncation(hg, 3));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, HGExactSetMaxSize(hg, 0));
  PetscCall(HGTest(hg, lambda, NULL)); /* raises where g is not the gradient of f */
  PetscCall(VecSet(lambda, 1000));     /* exp overflows */
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(HGGetReport(hg, &r));
  CHECK(r.reason == HG_DIVERGED_LOWER || r.reason == HG_DIVERGED_NANORINF, "overflow: %s",
        HGConvergedReasons[r.reason]);
  PetscCall(HGExactSetMaxSize(hg, 14));
  CHECK_RAISES(PETSC_ERR_SUP, HGSetUp(hg));
  PetscCall(HGSetType(hg, HGAID));
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, HGExactSetMaxSize(hg, 100));
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, HGExactSetClosedForm(hg, PETSC_TRUE));
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, HGExactSetSolver(hg, HG_EXACT_LAPACK));
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic softmax = {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1},
                  user = {.n = {13, 11, 0}, .p = 5, .c = 3, .seed = 3};
  Case c;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  c = (Case){BLPSOFTMAX, softmax, 0.5, 2};
  PetscCall(AgainstDense(&c, 1, 100));
  for (BLPTie tie = BLP_TIE_CLASS; tie <= BLP_TIE_SCALAR; tie++) {
    c.spec.tie = tie;
    PetscCall(AgainstDense(&c, 1, 100));
  }
  c = (Case){BLPSOFTMAX, softmax, 2, -10}; /* hardly any regularisation */
  PetscCall(AgainstDense(&c, 1e3, 1e9));
  c = (Case){BLPUSER, user, 1, 0};
  PetscCall(AgainstDense(&c, 1, 1e3));
  c = (Case){BLPUSER, user, 50, 0}; /* weights of all sizes */
  PetscCall(AgainstDense(&c, 1e7, 1e11));
  c = (Case){BLPUSER, user, 1, 0};
  c.spec.map = PETSC_TRUE;
  PetscCall(AgainstDense(&c, 1, 100));
  PetscCall(AllTypes());
  PetscCall(SingularHessian());
  for (PetscReal kappa = 10; kappa < 2e8; kappa *= 1e7) {
    for (int map = 0; map < 2; map++) {
      PetscCall(AgainstClosedForm((PetscBool)map, kappa, HG_EXACT_LAPACK));
      if (PetscDefined(HAVE_SCALAPACK))
        PetscCall(AgainstClosedForm((PetscBool)map, kappa, HG_EXACT_SCALAPACK));
    }
  }
  PetscCall(Shared());
  PetscCall(Damping());
  PetscCall(Refusals());
  PetscCall(TestFinalize());
  return 0;
}
