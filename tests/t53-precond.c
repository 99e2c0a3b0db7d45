/* Preconditioners: applications against dense formulas, adjoints and lower levels solved with them,
   iterations saved, when they are built anew, what is shared, refusals. */
#include "dense.h"
#include "diagonal.h"
#include "files.h"

static const Synthetic spec = {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1};
enum { RANK = 4 };

typedef struct {
  BLP blp;
  Dense *dense;
  Vec lambda, w, x, y;
  PetscReal *l, *H, *px, *py;
  PetscInt nw;
} Case;

static PetscErrorCode CaseCreate(BLPType type, Case *k)
{
  PetscInt nlambda;
  PetscReal *w;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, type, &spec, &k->blp));
  PetscCall(DenseCreate(type, &spec, &k->dense));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, &k->w));
  PetscCall(VecDuplicate(k->w, &k->x));
  PetscCall(VecDuplicate(k->w, &k->y));
  PetscCall(VecGetSize(k->lambda, &nlambda));
  PetscCall(VecGetSize(k->w, &k->nw));
  PetscCall(SyntheticLambda(k->blp, &spec, 7, 0.5, 2, k->lambda));
  PetscCall(TwofoldVecSetRandomNormal(k->w, 8));
  PetscCall(TwofoldVecSetRandomNormal(k->x, 9));
  PetscCall(PetscMalloc4(nlambda, &k->l, k->nw * k->nw, &k->H, k->nw, &k->px, k->nw, &k->py));
  PetscCall(VecGather(k->lambda, k->l));
  PetscCall(PetscMalloc1(k->nw, &w));
  PetscCall(VecGather(k->w, w));
  DenseHessian(k->dense, k->l, w, k->H);
  PetscCall(PetscFree(w));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->w));
  PetscCall(VecDestroy(&k->x));
  PetscCall(VecDestroy(&k->y));
  PetscCall(PetscFree4(k->l, k->H, k->px, k->py));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ applications */

/* x and y = P^-1 x, whole. */
static PetscErrorCode Apply(Case *k, PrecondType type, PetscInt rank)
{
  PetscInt builds, products;
  Precond P;

  PetscFunctionBegin;
  PetscCall(PrecondCreate(TEST_COMM, &P));
  PetscCall(PrecondSetType(P, type));
  PetscCall(PrecondSetRank(P, rank));
  PetscCall(PrecondSetBLP(P, k->blp));
  PetscCall(PrecondBuild(P, k->lambda, k->w));
  PetscCall(PrecondApply(P, k->x, k->y));
  PetscCall(PrecondGetCost(P, &builds, &products));
  CHECK(builds == 1 && products == (strcmp(type, PRECONDNYSTROM) ? 1 : PetscMin(rank, k->nw)),
        "%s: %d products", type, (int)products);
  PetscCall(VecGather(k->x, k->px));
  PetscCall(VecGather(k->y, k->py));
  PetscCall(PrecondDestroy(&P));
  PetscFunctionReturn(0);
}

static PetscErrorCode Jacobi(Case *k, BLPType type)
{
  PetscFunctionBegin;
  PetscCall(Apply(k, PRECONDJACOBI, 1));
  for (PetscInt i = 0; i < k->nw; i++) k->py[i] *= PetscAbsReal(k->H[i * k->nw + i]);
  const PetscReal difference = ArrayDifference(k->nw, k->py, k->px);
  CHECK(difference <= 1e-12, "%s, jacobi: P y differs from x by %g", type, difference);
  PetscFunctionReturn(0);
}

/* Columns of the n x r matrix Q (by columns) made orthonormal, twice for good measure. */
static void Orthonormalise(PetscInt n, PetscInt r, PetscReal Q[])
{
  for (PetscInt j = 0; j < r; j++) {
    for (int pass = 0; pass < 2; pass++) {
      for (PetscInt i = 0; i < j; i++) {
        long double dot = 0;
        for (PetscInt m = 0; m < n; m++) dot += (long double)Q[i * n + m] * Q[j * n + m];
        for (PetscInt m = 0; m < n; m++) Q[j * n + m] -= (PetscReal)dot * Q[i * n + m];
      }
    }
    long double square = 0;
    for (PetscInt m = 0; m < n; m++) square += (long double)Q[j * n + m] * Q[j * n + m];
    for (PetscInt m = 0; m < n; m++) Q[j * n + m] /= (PetscReal)sqrtl(square);
  }
}

/* N = Y (Omega^T Y)^{-1} Y^T with Y = (H - mu I) Omega, and Y orthonormalised. The core is solved in long
   double by elimination. */
static PetscErrorCode DenseNystrom(const Case *k, PetscReal mu, PetscInt r, PetscReal N[], PetscReal Y[])
{
  const PetscInt n = k->nw;
  PetscReal *Omega;
  long double core[RANK][RANK], X[RANK];

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n * r, &Omega));
  for (PetscInt j = 0; j < r; j++)
    for (PetscInt i = 0; i < n; i++) Omega[j * n + i] = TwofoldRandomNormal(TwofoldRandomBits(1, j), i);
  Orthonormalise(n, r, Omega);
  for (PetscInt j = 0; j < r; j++)
    for (PetscInt i = 0; i < n; i++) {
      long double sum = -(long double)mu * Omega[j * n + i];
      for (PetscInt m = 0; m < n; m++) sum += (long double)k->H[i * n + m] * Omega[j * n + m];
      Y[j * n + i] = (PetscReal)sum;
    }
  for (PetscInt column = 0; column < n; column++) {
    for (PetscInt i = 0; i < r; i++) {
      for (PetscInt j = 0; j < r; j++) {
        core[i][j] = 0;
        for (PetscInt m = 0; m < n; m++) core[i][j] += (long double)Omega[i * n + m] * Y[j * n + m];
      }
      X[i] = Y[i * n + column];
    }
    for (PetscInt i = 0; i < r; i++) /* the core is positive definite */
      for (PetscInt j = i + 1; j < r; j++) {
        const long double factor = core[j][i] / core[i][i];
        for (PetscInt m = i; m < r; m++) core[j][m] -= factor * core[i][m];
        X[j] -= factor * X[i];
      }
    for (PetscInt i = r - 1; i >= 0; i--) {
      for (PetscInt j = i + 1; j < r; j++) X[i] -= core[i][j] * X[j];
      X[i] /= core[i][i];
    }
    for (PetscInt i = 0; i < n; i++) {
      long double sum = 0;
      for (PetscInt j = 0; j < r; j++) sum += Y[j * n + i] * X[j];
      N[i * n + column] = (PetscReal)sum;
    }
  }
  Orthonormalise(n, r, Y);
  PetscCall(PetscFree(Omega));
  PetscFunctionReturn(0);
}

/* P = N + mu U U^T + (s_r + mu) (I - U U^T), with U U^T = Y Y^T, times y is x. */
static PetscErrorCode Nystrom(Case *k, BLPType type)
{
  const PetscInt n = k->nw, r = PetscMin(RANK, n);
  PetscReal *N, *Y, *e, *back;
  TwofoldConstant below;

  PetscFunctionBegin;
  PetscCall(BLPGetStrongConvexity(k->blp, k->lambda, &below));
  const PetscReal mu = below.standing != TWOFOLD_UNKNOWN ? below.value : 0;
  PetscCall(PetscMalloc4(n * n, &N, n * r, &Y, n, &e, n, &back));
  PetscCall(Apply(k, PRECONDNYSTROM, r));
  PetscCall(DenseNystrom(k, mu, r, N, Y));
  PetscCall(DenseEigenvalues(n, N, e));
  const PetscReal rest = e[n - r] + mu;
  for (PetscInt i = 0; i < n; i++) {
    long double sum = (long double)rest * k->py[i];
    for (PetscInt m = 0; m < n; m++) {
      long double UU = 0;
      for (PetscInt j = 0; j < r; j++) UU += (long double)Y[j * n + i] * Y[j * n + m];
      sum += (N[i * n + m] + (mu - rest) * UU) * k->py[m];
    }
    back[i] = (PetscReal)sum;
  }
  const PetscReal difference = ArrayDifference(n, back, k->px);
  CHECK(difference <= 1e-9, "%s, nystrom: P y differs from x by %g", type, difference);
  PetscCall(PetscFree4(N, Y, e, back));
  PetscFunctionReturn(0);
}

/* Of full rank it is the inverse. */
static PetscErrorCode FullRank(Case *k, BLPType type)
{
  const PetscInt n = k->nw;
  PetscReal *e, *expected, difference;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(n, &e, n, &expected));
  PetscCall(DenseEigenvalues(n, k->H, e));
  PetscCall(Apply(k, PRECONDNYSTROM, n + 7));
  PetscCall(DenseSolve(n, k->H, k->px, expected));
  difference = ArrayDifference(n, k->py, expected);
  CHECK(difference <= 1e-12 * e[n - 1] / e[0], "%s, full rank: y differs from H^-1 x by %g", type,
        difference);
  PetscCall(PetscFree2(e, expected));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ solves */

/* The lower level by newton and the adjoint by cg, both preconditioned: f and g are the exact ones. */
static PetscErrorCode Solves(Case *k, BLPType type, PrecondType precond)
{
  char text[256];
  PetscReal f, expected, *g, difference;
  PetscInt nlambda;
  HGReport report;
  Vec gradient;
  HG hg;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->lambda, &gradient));
  PetscCall(VecGetSize(k->lambda, &nlambda));
  PetscCall(PetscMalloc1(nlambda, &g));
  PetscCall(DenseExact(k->dense, k->l, NULL, &expected, g));
  PetscCall(
      PetscSNPrintf(text, sizeof(text),
                    "-lls_type newton -lls_rtol 1e-14 -lls_newton_precond %s -hg_ksp_type cg -hg_ksp_rtol "
                    "1e-13 -hg_fpm_step 0.3 -hg_precond %s",
                    precond, precond));
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, gradient));
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == HG_CONVERGED_RTOL && report.adjoint_residual <= 2e-13,
        "%s, %s: ended by %s, residual %g", type, precond, HGConvergedReasons[report.reason],
        report.adjoint_residual);
  PetscCall(VecDifference(gradient, g, &difference));
  CHECK(difference <= 1e-10, "%s, %s: the hypergradient is wrong by %g", type, precond, difference);
  CHECK_CLOSE(f, expected, 1e-12, type);
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&gradient));
  PetscCall(PetscFree(g));
  PetscFunctionReturn(0);
}

static PetscErrorCode Problem(BLPType type)
{
  PetscBool loss;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(type, &k));
  PetscCall(BLPHasLoss(k.blp, &loss));
  if (loss) {
    PetscCall(Nystrom(&k, type));
    PetscCall(FullRank(&k, type));
    PetscCall(Solves(&k, type, PRECONDNYSTROM));
    if (k.dense->diagonal) {
      PetscCall(Jacobi(&k, type));
      PetscCall(Solves(&k, type, PRECONDJACOBI));
    }
  }
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ iterations */

/* Steps of the adjoint's CG to 1e-8, and of newton's in all, on eigenvalues spread evenly over the logarithms
   of 1 .. 1e-4. */
static PetscErrorCode Count(const char precond[], PetscInt *adjoint, PetscInt *lower)
{
  Diagonal s = {.n = 120, .kappa = 1e4, .a = 0.01, .sign = 1};
  char text[256];
  PetscReal f;
  HGReport report;
  Vec lambda, g;
  BLP blp;
  LLS lls;
  HG hg;

  PetscFunctionBegin;
  PetscCall(DiagonalProblem(TEST_COMM, &s, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, &g));
  PetscCall(PetscSNPrintf(
      text, sizeof(text),
      "-lls_type newton -lls_atol 1e-10 -hg_ksp_rtol 1e-8 -lls_newton_precond %s -hg_precond %s", precond,
      precond));
  PetscCall(HGMake(blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == HG_CONVERGED_RTOL, "%s: ended by %s", precond, HGConvergedReasons[report.reason]);
  *adjoint = report.adjoint_its;
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSGetProducts(lls, lower));
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

static PetscErrorCode Iterations(void)
{
  PetscInt plain[2], jacobi[2], nystrom[2];

  PetscFunctionBegin;
  PetscCall(Count("none", &plain[0], &plain[1]));
  PetscCall(Count("jacobi -hg_precond_reuse 1 -lls_newton_precond_reuse 1", &jacobi[0], &jacobi[1]));
  PetscCall(Count("nystrom -hg_precond_rank 50 -lls_newton_precond_rank 50", &nystrom[0], &nystrom[1]));
  CHECK(jacobi[0] <= 12 && jacobi[0] < plain[0] && jacobi[1] < plain[1],
        "adjoint %d steps, jacobi %d; newton %d, %d", (int)plain[0], (int)jacobi[0], (int)plain[1],
        (int)jacobi[1]);
  CHECK(2 * nystrom[0] < plain[0] && nystrom[1] < plain[1], "adjoint %d steps, nystrom %d; newton %d, %d",
        (int)plain[0], (int)nystrom[0], (int)plain[1], (int)nystrom[1]);
  PetscFunctionReturn(0);
}

/* Exactly k steps of the preconditioned method. */
static PetscErrorCode FixedSteps(Case *k)
{
  PetscReal f, norm[2];
  HGReport report;
  Vec g;
  HG hg;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->lambda, &g));
  for (int i = 0; i < 2; i++) {
    PetscCall(HGMake(k->blp, NULL,
                     i ? "-lls_max_it 5 -hg_ksp_rtol 0 -hg_ksp_max_it 3 -hg_precond jacobi"
                       : "-lls_max_it 5 -hg_ksp_rtol 0 -hg_ksp_max_it 3",
                     &hg));
    PetscCall(HGSolve(hg, k->lambda, &f, g));
    PetscCall(HGGetReport(hg, &report));
    CHECK(report.reason == HG_CONVERGED_ITS && report.adjoint_its == 3, "ended by %s after %d steps",
          HGConvergedReasons[report.reason], (int)report.adjoint_its);
    norm[i] = report.adjoint_residual;
    PetscCall(HGDestroy(&hg));
  }
  CHECK(norm[1] != norm[0], "the preconditioner does nothing");
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ reuse */

/* Builds and products after each of n hypergradients, at lambda of these means. */
static PetscErrorCode Reuse(Case *k, const char text[], PetscInt n, const PetscReal mean[],
                            const PetscInt expected[], PetscInt each)
{
  PetscInt builds, products;
  PetscReal f;
  Precond P;
  Vec g, lambda;
  HG hg;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->lambda, &g));
  PetscCall(VecDuplicate(k->lambda, &lambda));
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGGetPrecond(hg, &P));
  for (PetscInt i = 0; i < n; i++) {
    PetscCall(SyntheticLambda(k->blp, &spec, 7, 0.5, mean[i], lambda));
    PetscCall(HGSolve(hg, lambda, &f, g));
    PetscCall(PrecondGetCost(P, &builds, &products));
    CHECK(builds == expected[i] && products == each * builds,
          "%s: %d builds with %d products after %d solves", text, (int)builds, (int)products, (int)i + 1);
  }
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&lambda));
  PetscFunctionReturn(0);
}

/* Whether newton's and the adjoint's are one object. */
static PetscErrorCode Shared(Case *k, const char lower[], const char adjoint[], PetscBool expected)
{
  char text[256];
  Precond P, Q;
  LLS lls;
  HG hg;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "-lls_type newton -lls_newton_precond %s -hg_precond %s", lower,
                          adjoint));
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSGetPrecond(lls, &P));
  PetscCall(HGGetPrecond(hg, &Q));
  CHECK((P == Q) == expected, "%s: %s", text, P == Q ? "one" : "two");
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

static PetscErrorCode Reuses(Case *k)
{
  const PetscReal same[] = {2, 2, 2, 2, 2, 2, 2};

  PetscFunctionBegin;
  PetscCall(Reuse(
      k, "-lls_max_it 5 -hg_precond nystrom -hg_precond_rank 3 -hg_precond_reuse 3 -hg_precond_growth inf", 7,
      same, (PetscInt[]){1, 1, 1, 2, 2, 2, 3}, 3));
  PetscCall(Reuse(
      k, "-lls_max_it 5 -hg_precond nystrom -hg_precond_rank 3 -hg_precond_reuse 0 -hg_precond_growth inf", 7,
      same, (PetscInt[]){1, 1, 1, 1, 1, 1, 1}, 3));
  PetscCall(
      Reuse(k, "-lls_max_it 5 -hg_precond jacobi -hg_precond_reuse 1", 3, same, (PetscInt[]){1, 2, 3}, 1));
  /* newton's and the adjoint's are one, built at newton's first step */
  PetscCall(Reuse(
      k,
      "-lls_type newton -lls_rtol 1e-10 -lls_newton_precond nystrom -lls_newton_precond_rank 3 "
      "-lls_newton_precond_reuse 2 -lls_newton_precond_growth inf -hg_precond nystrom -hg_precond_rank 3 "
      "-hg_precond_reuse 2 -hg_precond_growth inf",
      5, same, (PetscInt[]){1, 1, 2, 2, 3}, 3));
  PetscCall(Shared(k, PRECONDNYSTROM, PRECONDNYSTROM, PETSC_TRUE));
  PetscCall(Shared(k, PRECONDJACOBI, PRECONDJACOBI, PETSC_TRUE));
  PetscCall(Shared(k, PRECONDJACOBI, PRECONDNYSTROM, PETSC_FALSE));
  PetscCall(Shared(k, PRECONDNONE, PRECONDJACOBI, PETSC_FALSE));
  PetscCall(Shared(k, "nystrom -lls_newton_precond_rank 2", PRECONDNYSTROM, PETSC_FALSE));
  PetscCall(Shared(k, PRECONDNYSTROM, "nystrom -hg_precond_seed 2", PETSC_FALSE));
  PetscCall(Shared(k, PRECONDJACOBI, "jacobi -hg_precond_reuse 1", PETSC_FALSE));
  /* set otherwise they are two: only the adjoint's is asked here */
  PetscCall(Reuse(k,
                  "-lls_type newton -lls_rtol 1e-10 -lls_newton_precond nystrom -lls_newton_precond_rank 2 "
                  "-hg_precond nystrom -hg_precond_rank 3 -hg_precond_reuse 1",
                  2, same, (PetscInt[]){1, 2}, 3));
  PetscFunctionReturn(0);
}

/* At lambda = 0 the Hessian is about 1 + a, at a large one the tanh are flat and it is as ill-conditioned as
   d: the first preconditioner is kept for one slow solve there and no longer. */
static PetscErrorCode Grows(void)
{
  Diagonal s = {.n = 40, .kappa = 1e4, .a = 1, .sign = 1};
  const char *const text = "-lls_type newton -lls_atol 1e-10 -hg_precond jacobi -hg_precond_reuse 0";
  PetscInt builds[3], its[3];
  PetscReal f;
  HGReport report;
  Precond P;
  Vec lambda, g;
  BLP blp;
  HG hg;

  PetscFunctionBegin;
  PetscCall(DiagonalProblem(TEST_COMM, &s, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, &g));
  PetscCall(HGMake(blp, NULL, text, &hg));
  PetscCall(HGGetPrecond(hg, &P));
  for (int i = 0; i < 3; i++) {
    PetscCall(VecSet(lambda, i ? 100 : 0));
    PetscCall(HGSolve(hg, lambda, &f, g));
    PetscCall(HGGetReport(hg, &report));
    CHECK(report.reason == HG_CONVERGED_RTOL, "ended by %s", HGConvergedReasons[report.reason]);
    its[i] = report.adjoint_its;
    PetscCall(PrecondGetCost(P, &builds[i], NULL));
  }
  CHECK(builds[0] == 1 && builds[1] == 1 && builds[2] == 2, "%d, %d, %d builds", (int)builds[0],
        (int)builds[1], (int)builds[2]);
  CHECK(its[0] <= 2 && its[1] > 40 && its[2] <= 2, "%d, %d, %d steps", (int)its[0], (int)its[1], (int)its[2]);
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ any number of ranks */

static PetscErrorCode OnRanks(MPI_Comm comm, const char precond[], PetscInt *its, PetscReal g[])
{
  const Synthetic s = {.n = {60, 30, 0}, .p = 12, .c = 4, .density = 0.5, .seed = 4};
  char text[160];
  PetscReal f;
  HGReport report;
  Vec lambda, gradient;
  BLP blp;
  HG hg;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(comm, BLPSOFTMAX, &s, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &gradient));
  PetscCall(TwofoldVecSetRandomNormal(lambda, 3));
  PetscCall(PetscSNPrintf(text, sizeof(text), "-lls_max_it 30 -hg_ksp_rtol 1e-13 -hg_precond %s", precond));
  PetscCall(HGMake(blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, lambda, &f, gradient));
  PetscCall(HGGetReport(hg, &report));
  *its = report.adjoint_its;
  PetscCall(VecGather(gradient, g));
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&gradient));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

static PetscErrorCode AnyRanks(const char precond[])
{
  PetscReal g[12], alone[12];
  PetscInt its, its_alone;

  PetscFunctionBegin;
  PetscCall(OnRanks(TEST_COMM, precond, &its, g));
  PetscCall(OnRanks(PETSC_COMM_SELF, precond, &its_alone, alone));
  const PetscReal difference = ArrayDifference(12, g, alone);
  CHECK(difference <= 1e-11 && PetscAbsInt(its - its_alone) <= 1, "%s: g differs by %g; %d steps, alone %d",
        precond, difference, (int)its, (int)its_alone);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ refusals */

static PetscErrorCode Refused(BLP blp, const char text[], PetscErrorCode code, const char says[])
{
  PetscOptions options;
  HG hg;

  PetscFunctionBegin;
  PetscCall(OptionsUse(text, &options));
  PetscCall(HGCreate(TEST_COMM, &hg));
  PetscCall(HGSetBLP(hg, blp));
  PetscCall(HGSetFromOptions(hg));
  PetscCall(OptionsDrop(&options));
  CHECK_SAYS(code, says, HGSetUp(hg));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

static PetscErrorCode Refusals(void)
{
  Diagonal loss = {.n = 5, .kappa = 10, .a = 0, .sign = 1},
           map = {.n = 5, .kappa = 10, .sign = 1, .map = PETSC_TRUE};
  BLP by_loss, by_map;
  Precond P;
  Vec lambda, w;

  PetscFunctionBegin;
  PetscCall(DiagonalProblem(TEST_COMM, &loss, &by_loss));
  PetscCall(DiagonalProblem(TEST_COMM, &map, &by_map));
  PetscCall(BLPUserSetLossDiagonal(by_loss, NULL));
  PetscCall(Refused(by_loss, "-hg_precond jacobi", PETSC_ERR_SUP,
                    "(BLPUserSetLossDiagonal()): use -hg_precond nystrom"));
  PetscCall(Refused(by_loss, "-lls_type newton -lls_newton_precond jacobi", PETSC_ERR_SUP,
                    "use -lls_newton_precond nystrom"));
  PetscCall(Refused(by_loss, "-lls_type newton -lls_newton_pc_type jacobi", PETSC_ERR_SUP,
                    "use -lls_newton_precond jacobi"));
  PetscCall(
      Refused(by_loss, "-hg_precond nystrom -hg_fpm_type heavyball", PETSC_ERR_SUP, "use -hg_fpm_type gd"));
  PetscCall(
      Refused(by_loss, "-hg_precond nystrom -hg_pc_type mat", PETSC_ERR_ARG_INCOMP, "drop one of them"));
  PetscCall(Refused(by_loss, "-hg_precond nystrom -hg_lanczos", PETSC_ERR_SUP, "without a preconditioner"));
  PetscCall(Refused(by_map, "-hg_precond nystrom", PETSC_ERR_SUP, "use -hg_fpm_type gd"));
  PetscCall(Refused(by_map, "-lls_type newton -lls_newton_precond nystrom", PETSC_ERR_SUP, "gives a map"));
  PetscCall(PrecondCreate(TEST_COMM, &P));
  CHECK_RAISES(PETSC_ERR_ARG_UNKNOWN_TYPE, PrecondSetType(P, "jacob"));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, PrecondSetRank(P, 0));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, PrecondSetReuse(P, -1, 2));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, PrecondSetReuse(P, 1, 1));
  PetscCall(PrecondSetType(P, PRECONDNYSTROM));
  PetscCall(BLPCreateVecs(by_loss, &lambda, &w));
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, PrecondBuild(P, lambda, w)); /* no problem */
  PetscCall(PrecondSetBLP(P, by_loss));
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, PrecondApply(P, lambda, w)); /* not built */
  PetscCall(PrecondDestroy(&P));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(BLPDestroy(&by_loss));
  PetscCall(BLPDestroy(&by_map));
  PetscFunctionReturn(0);
}

/* A Hessian that is not positive: P is, all the same. */
static PetscErrorCode Indefinite(void)
{
  const char *const types[] = {PRECONDJACOBI, PRECONDNYSTROM};
  Diagonal s = {.n = 9, .kappa = 10, .a = 0.5, .sign = -1};
  PetscScalar dot;
  Precond P;
  Vec w, y;
  BLP blp;

  PetscFunctionBegin;
  PetscCall(DiagonalProblem(TEST_COMM, &s, &blp));
  PetscCall(BLPCreateVecs(blp, NULL, &w));
  PetscCall(VecDuplicate(w, &y));
  PetscCall(TwofoldVecSetRandomNormal(w, 1));
  for (int i = 0; i < 2; i++) {
    PetscCall(PrecondCreate(TEST_COMM, &P));
    PetscCall(PrecondSetType(P, types[i]));
    PetscCall(PrecondSetRank(P, 9));
    PetscCall(PrecondSetBLP(P, blp));
    PetscCall(PrecondBuild(P, w, w));
    PetscCall(PrecondApply(P, w, y));
    PetscCall(VecDot(w, y, &dot));
    CHECK(dot > 0 && !PetscIsInfOrNanScalar(dot), "%s: <x, P^-1 x> = %g", types[i], dot);
    PetscCall(PrecondDestroy(&P));
  }
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&y));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const char **types;
  PetscInt n;
  Case k;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(BLPGetRegistered(&n, &types));
  for (PetscInt i = 0; i < n; i++)
    if (SyntheticHasKind(types[i], PETSC_FALSE)) PetscCall(Problem(types[i]));
  PetscCall(PetscFree(types));
  PetscCall(Iterations());
  PetscCall(CaseCreate(BLPSOFTMAX, &k));
  PetscCall(FixedSteps(&k));
  PetscCall(Reuses(&k));
  PetscCall(CaseDestroy(&k));
  PetscCall(Grows());
  PetscCall(AnyRanks(PRECONDJACOBI));
  PetscCall(AnyRanks("nystrom -hg_precond_rank 10"));
  PetscCall(Refusals());
  PetscCall(Indefinite());
  PetscCall(TestFinalize());
  return 0;
}
