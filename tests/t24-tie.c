/* Ties: every tie against the problem whose lambda is free, by the chain rule in plain loops; any linear map;
   the penalty of lambda; a problem with lambda in its upper objective, in blocks and not; what is refused. */
#include <twofold/impl/blpimpl.h>
#include <twofold/impl/hgimpl.h>
#include "problem.h"

enum { first_tie = BLP_TIE_OWN, last_tie = BLP_TIE_SCALAR };

static const char itd[] = "-hg_type itd -lls_max_it 12 -lls_fpm_type heavyball -lls_fpm_momentum 0.5";
static const char aid[] = "-hg_type aid -lls_max_it 12 -hg_ksp_rtol 0 -hg_ksp_max_it 4";

/* Of the types whose lambda is a matrix: features by classes, or by the size of the representation. */
static Synthetic Adapted(BLPType type, const Synthetic *s, BLPTie tie)
{
  Synthetic own = SyntheticSpec(type, s);

  own.tie = tie;
  return own;
}

/* Entry of theta behind entry m = (j, k) of a lambda with blocks of c. */
static PetscInt Behind(BLPTie tie, PetscInt c, PetscInt m)
{
  if (tie == BLP_TIE_SCALAR) return 0;
  if (tie == BLP_TIE_CLASS) return m % c;
  return tie == BLP_TIE_WEIGHT ? m : m / c; /* softmax's own is one a feature */
}

/* f and g, as arrays on every rank, at an array of lambda. */
static PetscErrorCode Solve(BLP blp, const char how[], const PetscScalar at[], PetscReal *f, PetscScalar g[])
{
  HG hg;
  Vec lambda, gradient;

  PetscFunctionBegin;
  PetscCall(HGMake(blp, NULL, how, &hg));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &gradient));
  PetscCall(VecFill(lambda, at));
  PetscCall(HGSolve(hg, lambda, f, gradient));
  PetscCall(VecGather(gradient, g));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&gradient));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

static PetscErrorCode RandomArray(PetscInt n, PetscInt64 seed, PetscScalar **a)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, a));
  for (PetscInt i = 0; i < n; i++) (*a)[i] = TwofoldRandomNormal(seed, i);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ ties of problems */

static PetscBool OneOf(BLPType type, BLPType a, BLPType b)
{
  return (PetscBool)(!strcmp(type, a) || !strcmp(type, b));
}

static PetscErrorCode ChainRule(BLPType type, const Synthetic *s, BLPTie tie, const char how[])
{
  /* some have a tie of their own for the free lambda, others know it by own alone */
  const BLPTie none = OneOf(type, BLPDISTILL, BLPDATACLEAN) ? BLP_TIE_OWN : BLP_TIE_WEIGHT;
  const Synthetic tied = Adapted(type, s, tie), free = Adapted(type, s, none);
  const BLPTie kind = tie == BLP_TIE_OWN && strcmp(type, BLPSOFTMAX) ? BLP_TIE_WEIGHT : tie;
  const PetscInt c = strcmp(type, BLPDISTILL) ? s->c : synthetic_images * s->c;
  const PetscInt size = strcmp(type, BLPDATACLEAN) ? s->p * c : s->n[0];
  BLP blp, untied;
  PetscInt ntheta = 0, n = 0;
  PetscReal f, f_untied;
  PetscScalar *theta, *lambda, *g, *g_untied, *expected;

  PetscFunctionBegin;
  PetscCall(SyntheticFromData(TEST_COMM, type, &tied, &blp));
  PetscCall(SyntheticFromData(TEST_COMM, type, &free, &untied));
  PetscCall(BLPGetSizes(blp, &ntheta, NULL));
  PetscCall(BLPGetSizes(untied, &n, NULL));
  CHECK(n == size && ntheta == Behind(kind, c, n - 1) + 1, "%d and %d entries", (int)ntheta, (int)n);
  PetscCall(RandomArray(ntheta, 7, &theta));
  PetscCall(PetscMalloc3(n, &lambda, n, &g_untied, ntheta, &g));
  PetscCall(PetscCalloc1(ntheta, &expected));
  for (PetscInt m = 0; m < n; m++) lambda[m] = theta[Behind(kind, c, m)];
  PetscCall(Solve(blp, how, theta, &f, g));
  PetscCall(Solve(untied, how, lambda, &f_untied, g_untied));
  for (PetscInt m = 0; m < n; m++) expected[Behind(kind, c, m)] += g_untied[m];
  CHECK_CLOSE(f, f_untied, 1e-12, BLPTies[tie]);
  const PetscReal difference = ArrayDifference(ntheta, g, expected);
  CHECK(difference <= 1e-12, "%s: hypergradient differs by %g from T^T of the untied one", BLPTies[tie],
        difference);
  PetscCall(PetscFree(theta));
  PetscCall(PetscFree(expected));
  PetscCall(PetscFree3(lambda, g_untied, g));
  PetscCall(BLPDestroy(&blp));
  PetscCall(BLPDestroy(&untied));
  PetscFunctionReturn(0);
}

/* Slope of f by central differences of two steps, extrapolated: an error of order h^4. */
static PetscErrorCode Slope(BLP blp, PetscInt n, const PetscScalar theta[], const PetscScalar u[],
                            PetscReal *slope)
{
  const PetscReal h = 1e-2;
  PetscReal d[2];
  PetscScalar *at, *g;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(n, &at, n, &g));
  for (int i = 0; i < 2; i++) {
    PetscReal f[2];
    for (int side = 0; side < 2; side++) {
      for (PetscInt j = 0; j < n; j++) at[j] = theta[j] + (side ? -h : h) / (1 << i) * u[j];
      PetscCall(Solve(blp, itd, at, &f[side], g));
    }
    d[i] = (f[0] - f[1]) * (1 << i) / (2 * h);
  }
  *slope = (4 * d[1] - d[0]) / 3;
  PetscCall(PetscFree2(at, g));
  PetscFunctionReturn(0);
}

static PetscErrorCode FiniteDifferences(const Synthetic *s, BLPTie tie, PetscReal rho)
{
  Synthetic tied = *s;
  BLP blp;
  PetscInt n = 0;
  PetscReal f, slope = 0, product = 0, scale = 0;
  PetscScalar *theta, *u, *g;

  PetscFunctionBegin;
  tied.tie = tie;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &tied, &blp));
  PetscCall(BLPSetUpperL2(blp, rho));
  PetscCall(BLPGetSizes(blp, &n, NULL));
  PetscCall(RandomArray(n, 8, &theta));
  PetscCall(RandomArray(n, 9, &u));
  PetscCall(PetscMalloc1(n, &g));
  PetscCall(Solve(blp, itd, theta, &f, g));
  PetscCall(Slope(blp, n, theta, u, &slope));
  for (PetscInt j = 0; j < n; j++) {
    product += g[j] * u[j];
    scale += PetscAbsReal(g[j] * u[j]);
  }
  CHECK(PetscAbsReal(product - slope) <= 1e-8 * scale, "%s, rho %g: <g, u> %.15g, slope of f %.15g",
        BLPTies[tie], rho, product, slope);
  PetscCall(PetscFree(theta));
  PetscCall(PetscFree(u));
  PetscCall(PetscFree(g));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* f and g with the penalty are those without, and rho/2 ||theta||^2 and rho theta. */
static PetscErrorCode Penalty(const Synthetic *s, BLPTie tie)
{
  const PetscReal rho = 0.75;
  Synthetic tied = *s;
  BLP blp;
  PetscInt n = 0;
  PetscReal f, f0, square = 0, worst = 0;
  PetscScalar *theta, *g, *g0;

  PetscFunctionBegin;
  tied.tie = tie;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &tied, &blp));
  PetscCall(BLPGetSizes(blp, &n, NULL));
  PetscCall(RandomArray(n, 10, &theta));
  PetscCall(PetscMalloc2(n, &g, n, &g0));
  PetscCall(Solve(blp, aid, theta, &f0, g0));
  PetscCall(BLPSetUpperL2(blp, rho));
  PetscCall(Solve(blp, aid, theta, &f, g));
  for (PetscInt j = 0; j < n; j++) {
    square += theta[j] * theta[j];
    worst = PetscMax(worst, PetscAbsReal(g[j] - g0[j] - rho * theta[j]));
  }
  CHECK_CLOSE(f, f0 + rho / 2 * square, 1e-14, "f with the penalty");
  CHECK(worst <= 1e-14, "%s: the penalty adds %g too much or too little", BLPTies[tie], worst);
  PetscCall(PetscFree2(g, g0));
  PetscCall(PetscFree(theta));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ a problem by callbacks */

/* All derivatives in theta, those of a lower level that is a map among them; its value is that at T theta. */
static PetscErrorCode Callbacks(PetscBool map)
{
  Synthetic s = {.n = {9, 8, 0}, .p = 6, .c = 2, .density = 1, .seed = 3, .map = map};
  BLP blp, untied;
  Vec theta, lambda, lower, w, y, y_untied;
  PetscInt n;
  PetscReal difference;
  PetscBool has;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPUSER, &s, &untied));
  s.tie = BLP_TIE_SCALAR;
  PetscCall(SyntheticProblem(TEST_COMM, BLPUSER, &s, &blp));
  PetscCall(BLPCreateVecs(untied, &lambda, NULL));
  PetscCall(BLPCreateVecs(blp, &theta, &w));
  PetscCall(VecDuplicate(theta, &lower));
  PetscCall(VecDuplicate(w, &y));
  PetscCall(VecDuplicate(w, &y_untied));
  PetscCall(VecSet(theta, 0.7));
  PetscCall(VecSet(lambda, 0.7));
  PetscCall(VecSet(lower, -5));
  PetscCall(TwofoldVecSetRandomNormal(w, 17));
  PetscCall(BLPSetBounds(blp, lower, NULL)); /* of theta */
  PetscCall(BLPSetUpperL2(blp, 0.3));
  PetscCall(BLPHasMap(blp, &has));
  CHECK(has == map, "the lower level is %sa map", has ? "" : "not ");
  PetscCall(map ? BLPMapApply(blp, theta, w, y) : BLPLossGradient(blp, theta, w, NULL, y));
  PetscCall(map ? BLPMapApply(untied, lambda, w, y_untied)
                : BLPLossGradient(untied, lambda, w, NULL, y_untied));
  PetscCall(RelativeDifference(y, y_untied, &difference));
  CHECK(difference <= 1e-14, "the tied lower level differs by %g", difference);
  PetscCall(BLPTestDerivatives(blp, theta, w, NULL));
  PetscCall(VecGetSize((map ? blp->map_point : blp->point)[0], &n)); /* what callbacks of products get */
  CHECK(n == s.p, "the point of the products has a lambda of %d entries, not %d", (int)n, (int)s.p);
  PetscCall(VecDestroy(&theta));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&lower));
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&y_untied));
  PetscCall(BLPDestroy(&blp));
  PetscCall(BLPDestroy(&untied));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ any linear map */

static PetscScalar MapEntry(PetscInt i, PetscInt j)
{
  return TwofoldRandomNormal(11, 5 * i + j) / 2;
}

/* A full matrix with `rows` here and `columns` on all ranks. */
static PetscErrorCode CreateMap(PetscInt rows, PetscInt columns, Mat *T)
{
  PetscInt first, last;

  PetscFunctionBegin;
  PetscCall(
      MatCreateAIJ(TEST_COMM, rows, PETSC_DECIDE, PETSC_DETERMINE, columns, columns, NULL, columns, NULL, T));
  PetscCall(MatGetOwnershipRange(*T, &first, &last));
  for (PetscInt i = first; i < last; i++)
    for (PetscInt j = 0; j < columns; j++) PetscCall(MatSetValue(*T, i, j, MapEntry(i, j), INSERT_VALUES));
  PetscCall(MatAssemblyBegin(*T, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(*T, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

static PetscErrorCode LinearMap(const Synthetic *s, BLPTie under)
{
  enum { ntheta = 3 };
  Synthetic free = *s;
  BLP blp;
  Vec own;
  Mat T;
  PetscInt n = 0, nlocal, size;
  PetscReal f, f_own;
  PetscScalar *theta, *lambda, *g_own, g[ntheta], expected[ntheta] = {0};

  PetscFunctionBegin;
  free.tie = under;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &free, &blp));
  PetscCall(BLPGetSizes(blp, &n, NULL));
  PetscCall(BLPCreateVecs(blp, &own, NULL));
  PetscCall(VecGetLocalSize(own, &nlocal));
  PetscCall(VecDestroy(&own));
  PetscCall(RandomArray(ntheta, 12, &theta));
  PetscCall(PetscCalloc2(n, &lambda, n, &g_own));
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt j = 0; j < ntheta; j++) lambda[i] += MapEntry(i, j) * theta[j];
  PetscCall(Solve(blp, itd, lambda, &f_own, g_own));
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt j = 0; j < ntheta; j++) expected[j] += MapEntry(i, j) * g_own[i];
  PetscCall(CreateMap(nlocal, ntheta, &T));
  PetscCall(BLPSetLambdaMap(blp, T));
  PetscCall(MatDestroy(&T));
  PetscCall(BLPGetSizes(blp, &size, NULL));
  CHECK(size == ntheta, "%d entries behind the map", (int)size);
  PetscCall(Solve(blp, itd, theta, &f, g));
  CHECK_CLOSE(f, f_own, 1e-12, "f behind a map");
  CHECK(ArrayDifference(ntheta, g, expected) <= 1e-12, "hypergradient behind a map differs by %g",
        ArrayDifference(ntheta, g, expected));
  /* too many rows; as many, but dealt otherwise; then none at all */
  PetscCall(CreateMap(nlocal + 1, ntheta, &T));
  CHECK_RAISES(PETSC_ERR_ARG_SIZ, BLPSetLambdaMap(blp, T));
  PetscCall(MatDestroy(&T));
  PetscMPIInt rank, ranks;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &ranks));
  if (ranks > 1) {
    PetscCall(CreateMap(rank == ranks - 1 ? n : 0, ntheta, &T));
    CHECK_RAISES(PETSC_ERR_ARG_SIZ, BLPSetLambdaMap(blp, T));
    PetscCall(MatDestroy(&T));
  }
  PetscCall(BLPSetLambdaMap(blp, NULL));
  PetscCall(Solve(blp, itd, lambda, &f, g_own));
  CHECK(f == f_own, "f %.17g without the map any more, not %.17g", f, f_own);
  PetscCall(PetscFree(theta));
  PetscCall(PetscFree2(lambda, g_own));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* The loss at one and the same theta follows a map that is set again. */
static PetscErrorCode ChangedMap(const Synthetic *s)
{
  BLP blp;
  Vec own, theta, w, g;
  Mat T;
  PetscInt nlocal;
  PetscReal l[2], l_own[2];

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, s, &blp));
  PetscCall(BLPCreateVecs(blp, &own, &w));
  PetscCall(VecDuplicate(w, &g));
  PetscCall(TwofoldVecSetRandomNormal(w, 15));
  PetscCall(VecGetLocalSize(own, &nlocal));
  PetscCall(CreateMap(nlocal, 2, &T));
  PetscCall(MatCreateVecs(T, &theta, NULL));
  PetscCall(TwofoldVecSetRandomNormal(theta, 16));
  for (int i = 0; i < 2; i++) {
    PetscCall(BLPSetLambdaMap(blp, NULL));
    PetscCall(MatMult(T, theta, own));
    PetscCall(BLPLossGradient(blp, own, w, &l_own[i], g));
    PetscCall(BLPSetLambdaMap(blp, T));
    PetscCall(BLPLossGradient(blp, theta, w, &l[i], g));
    PetscCall(MatScale(T, 2));
  }
  CHECK(l[0] == l_own[0] && l[1] == l_own[1] && l[0] != l[1], "loss %.17g and %.17g, not %.17g and %.17g",
        l[0], l[1], l_own[0], l_own[1]);
  PetscCall(MatDestroy(&T));
  PetscCall(VecDestroy(&own));
  PetscCall(VecDestroy(&theta));
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&g));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ a problem with lambda in E */

/* E = sum_m a_m lambda_m + 1/2 lambda_m^2 with lambda in `rows` blocks; mu = 1 + sum of lambda. It notes what
   it was given. */
enum { rows = 5 };
static PetscInt block;
static PetscObjectId seen_id;
static PetscObjectState seen_state;

static PetscScalar Coefficient(PetscInt m)
{
  return TwofoldRandomNormal(13, m);
}

static PetscErrorCode CreateVecs_Blocks(BLP blp, Vec *lambda, Vec *w)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  PetscInt nlocal = PETSC_DECIDE, n = rows;

  PetscFunctionBegin;
  if (w) PetscCall(VecCreateMPI(comm, PETSC_DECIDE, 2, w));
  if (!lambda) PetscFunctionReturn(0);
  PetscCall(PetscSplitOwnership(comm, &nlocal, &n));
  PetscCall(VecCreateMPI(comm, nlocal * block, n * block, lambda));
  PetscCall(VecSetBlockSize(*lambda, block));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetUp_Blocks(BLP blp)
{
  PetscFunctionBegin;
  blp->nlambda = rows * block;
  blp->nw = 2;
  PetscFunctionReturn(0);
}

static PetscErrorCode Upper_Blocks(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2)
{
  PetscInt first, last;
  PetscScalar *a;
  PetscReal sum = 0;

  PetscFunctionBegin;
  (void)w;
  (void)g1;
  PetscCall(PetscObjectGetId((PetscObject)lambda, &seen_id));
  PetscCall(PetscObjectStateGet((PetscObject)lambda, &seen_state));
  PetscCall(VecGetOwnershipRange(lambda, &first, &last));
  const PetscScalar *l;
  PetscCall(VecGetArrayRead(lambda, &l));
  for (PetscInt m = first; m < last; m++)
    sum += Coefficient(m) * l[m - first] + l[m - first] * l[m - first] / 2;
  if (g2) {
    PetscCall(VecGetArrayWrite(g2, &a));
    for (PetscInt m = first; m < last; m++) a[m - first] = Coefficient(m) + l[m - first];
    PetscCall(VecRestoreArrayWrite(g2, &a));
  }
  PetscCall(VecRestoreArrayRead(lambda, &l));
  PetscCall(MPIU_Allreduce(&sum, E, 1, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)blp)));
  PetscFunctionReturn(0);
}

static PetscErrorCode StrongConvexity_Blocks(BLP blp, Vec lambda, TwofoldConstant *mu)
{
  PetscFunctionBegin;
  (void)blp;
  PetscCall(VecSum(lambda, &mu->value));
  mu->standing = TWOFOLD_PROVED;
  PetscFunctionReturn(0);
}

static PetscErrorCode Evaluate_Blocks(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics)
{
  PetscFunctionBegin;
  (void)blp;
  (void)set;
  (void)w;
  PetscCall(VecSum(lambda, &metrics->loss));
  PetscFunctionReturn(0);
}

static PetscErrorCode Create_Blocks(BLP blp)
{
  PetscFunctionBegin;
  blp->needs_samples = PETSC_TRUE;
  blp->ops->setup = SetUp_Blocks;
  blp->ops->createvecs = CreateVecs_Blocks;
  blp->ops->upper = Upper_Blocks;
  blp->ops->strongconvexity = StrongConvexity_Blocks;
  blp->ops->smoothness = StrongConvexity_Blocks;
  blp->ops->evaluate = Evaluate_Blocks;
  PetscFunctionReturn(0);
}

/* Not set up, with lambda in blocks of b. */
static PetscErrorCode BlocksCreate(PetscInt b, BLPTie tie, BLP *blp)
{
  const Synthetic s = {.n = {4, 4, 0}, .p = 2, .c = 2, .density = 1, .seed = 1};
  DataSet train, val;

  PetscFunctionBegin;
  block = b;
  PetscCall(BLPCreate(TEST_COMM, blp));
  PetscCall(BLPSetType(*blp, "blocks"));
  PetscCall(SyntheticDataSet(TEST_COMM, &s, 0, &train));
  PetscCall(SyntheticDataSet(TEST_COMM, &s, 1, &val));
  PetscCall(BLPSetData(*blp, train, val, NULL));
  PetscCall(DataSetDestroy(&train));
  PetscCall(DataSetDestroy(&val));
  PetscCall(BLPSetTie(*blp, tie));
  PetscFunctionReturn(0);
}

static PetscErrorCode UpperGradient(PetscInt b, BLPTie tie)
{
  const PetscReal rho = 0.5;
  const PetscInt n = rows * b;
  /* this problem's own lambda has all entries */
  const BLPTie meant = tie == BLP_TIE_OWN ? BLP_TIE_WEIGHT : tie;
  const PetscInt ntheta = Behind(meant, b, n - 1) + 1;
  BLP blp;
  Vec theta, g, w;
  PetscInt size;
  PetscReal E, expected_E = 0, sum = 0, difference;
  PetscScalar *at, *expected;
  TwofoldConstant mu, L;
  BLPMetrics metrics;

  PetscFunctionBegin;
  PetscCall(BlocksCreate(b, tie, &blp));
  PetscCall(BLPSetUpperL2(blp, rho));
  PetscCall(BLPGetSizes(blp, &size, NULL));
  CHECK(size == ntheta, "tie %s: %d entries, not %d", BLPTies[tie], (int)size, (int)ntheta);
  PetscCall(BLPCreateVecs(blp, &theta, &w));
  PetscCall(VecDuplicate(theta, &g));
  PetscCall(RandomArray(ntheta, 14, &at));
  PetscCall(PetscMalloc1(ntheta, &expected));
  for (PetscInt j = 0; j < ntheta; j++) {
    expected[j] = rho * at[j];
    expected_E += rho / 2 * at[j] * at[j];
  }
  for (PetscInt m = 0; m < n; m++) {
    const PetscReal l = at[Behind(meant, b, m)];
    expected_E += Coefficient(m) * l + l * l / 2;
    expected[Behind(meant, b, m)] += Coefficient(m) + l;
    sum += l;
  }
  PetscCall(VecFill(theta, at));
  PetscCall(VecSet(g, 1e10)); /* overwritten */
  PetscCall(BLPUpper(blp, theta, w, &E, NULL, g));
  CHECK_CLOSE(E, expected_E, 1e-13, "E of a tied lambda");
  PetscCall(VecDifference(g, expected, &difference));
  CHECK(difference <= 1e-13, "tie %s: grad2 E differs by %g", BLPTies[tie], difference);
  PetscCall(BLPUpper(blp, theta, w, &E, NULL, NULL));
  CHECK_CLOSE(E, expected_E, 1e-13, "E of a tied lambda alone");
  PetscCall(BLPGetStrongConvexity(blp, theta, &mu));
  PetscCall(BLPGetSmoothness(blp, theta, &L));
  PetscCall(BLPEvaluate(blp, BLP_VAL, theta, w, &metrics));
  const PetscReal scale = PetscMax(1, PetscAbsReal(sum));
  CHECK(PetscAbsReal(mu.value - sum) <= 1e-13 * scale && mu.value == L.value && mu.value == metrics.loss,
        "tie %s: constants %.17g, %.17g and loss %.17g, not %.17g", BLPTies[tie], mu.value, L.value,
        metrics.loss, sum);
  PetscCall(PetscFree(at));
  PetscCall(PetscFree(expected));
  PetscCall(VecDestroy(&theta));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&w));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* What a problem keeps of lambda by the object's state it may keep as long as theta stays as it is. */
static PetscErrorCode KeptLambda(BLPTie tie)
{
  PetscObjectId id;
  PetscObjectState state;
  PetscReal E[4];
  BLP blp;
  Vec theta, other, w;

  PetscFunctionBegin;
  PetscCall(BlocksCreate(3, tie, &blp));
  PetscCall(BLPCreateVecs(blp, &theta, &w));
  PetscCall(VecDuplicate(theta, &other));
  PetscCall(VecSet(theta, 1));
  PetscCall(VecSet(other, 2));
  PetscCall(BLPUpper(blp, theta, w, &E[0], NULL, NULL));
  id = seen_id;
  state = seen_state;
  PetscCall(BLPUpper(blp, theta, w, &E[1], NULL, NULL));
  CHECK(id == seen_id && state == seen_state, "lambda was made anew though theta stayed");
  CHECK(E[0] == E[1], "E %.17g and %.17g", E[0], E[1]);
  PetscCall(BLPUpper(blp, other, w, &E[2], NULL, NULL));
  CHECK(id != seen_id || state != seen_state, "lambda stayed though theta is another");
  PetscCall(VecSet(other, 1));
  PetscCall(BLPUpper(blp, other, w, &E[3], NULL, NULL));
  CHECK(E[2] != E[0] && E[3] == E[0], "E %.17g, %.17g, %.17g", E[0], E[2], E[3]);
  PetscCall(VecDestroy(&theta));
  PetscCall(VecDestroy(&other));
  PetscCall(VecDestroy(&w));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* A lambda that is kept as the point of a linearisation stays that of its theta. */
static PetscErrorCode HeldLambda(BLPTie tie)
{
  BLP blp;
  Vec theta, w, held, now;
  PetscScalar *a, *b;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(BlocksCreate(3, tie, &blp));
  PetscCall(BLPCreateVecs(blp, &theta, &w));
  PetscCall(VecSet(theta, 1));
  PetscCall(BLPTieLambda_Private(blp, theta, &held));
  PetscCall(PetscObjectReference((PetscObject)held));
  PetscCall(VecSet(theta, 2));
  PetscCall(BLPTieLambda_Private(blp, theta, &now));
  PetscCall(VecGetSize(held, &n));
  PetscCall(PetscMalloc2(n, &a, n, &b));
  PetscCall(VecGather(held, a));
  PetscCall(VecGather(now, b));
  CHECK(a[0] == 1 && a[n - 1] == 1, "the lambda that was kept is %g now", a[0]);
  CHECK(b[0] == 2 && b[n - 1] == 2, "the new lambda is %g", b[0]);
  PetscCall(PetscFree2(a, b));
  PetscCall(VecDestroy(&held));
  PetscCall(VecDestroy(&theta));
  PetscCall(VecDestroy(&w));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* Writes to this rank's part of x what is there already, on rank r alone: PETSc counts a change there. */
static PetscErrorCode Touch(Vec x, PetscMPIInt r)
{
  PetscMPIInt rank;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  if (rank != r) PetscFunctionReturn(0);
  PetscCall(VecGetArray(x, &a));
  PetscCall(VecRestoreArray(x, &a));
  PetscFunctionReturn(0);
}

/* A lambda that one rank alone has touched gives the same, and keeps no rank waiting for another. */
static PetscErrorCode TouchedOnOneRank(BLPType type, const Synthetic *s)
{
  PetscReal f, again, difference;
  PetscMPIInt size;
  Vec lambda, g, h;
  BLP blp;
  HG hg;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCall(SyntheticProblem(TEST_COMM, type, s, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(VecDuplicate(lambda, &h));
  PetscCall(SyntheticLambda(blp, s, 5, 0.3, 1, lambda));
  PetscCall(HGMake(blp, NULL,
                   "-lls_max_it 5 -lls_fpm_step 0.1 -hg_ksp_rtol 0 -hg_ksp_max_it 2 -hg_certificate both",
                   &hg));
  PetscCall(HGSolve(hg, lambda, &f, g));
  for (PetscMPIInt r = size - 1; r >= 0; r--) { /* first those that would wait for what rank 0 has */
    PetscCall(Touch(lambda, r));
    PetscCall(BLPUpper(blp, lambda, hg->x->v[0], &again, NULL, NULL));
    CHECK_CLOSE(again, f, 1e-13, type);
    PetscCall(Touch(lambda, r));
    PetscCall(HGSolve(hg, lambda, &again, h));
    PetscCall(RelativeDifference(h, g, &difference));
    CHECK_CLOSE(again, f, 1e-13, type);
    CHECK(difference <= 1e-12, "%s: touched on rank %d, the hypergradient differs by %g", type, r,
          difference);
  }
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&h));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* Every type, its lambda tied where the tests tie it. */
static PetscErrorCode Touched(const Synthetic *s)
{
  const char **types;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(BLPGetRegistered(&n, &types));
  for (PetscInt t = 0; t < n; t++) {
    Synthetic tied = *s;
    if (!strcmp(types[t], "blocks")) continue; /* this file's own, which the helpers do not know */
    PetscCall(TouchedOnOneRank(types[t], s));
    tied.tie = BLP_TIE_SCALAR;
    if (!SyntheticGetType(types[t]).without_ties || !strcmp(types[t], BLPHYPERREP))
      PetscCall(TouchedOnOneRank(types[t], &tied));
  }
  PetscCall(PetscFree(types));
  PetscFunctionReturn(0);
}

/* Ties that would make all images the same, or that have no meaning for samples. */
static PetscErrorCode RefusedTies(BLPType type, const Synthetic *s)
{
  BLP blp;

  PetscFunctionBegin;
  for (int t = first_tie; t <= last_tie; t++) {
    const PetscBool ours = (PetscBool)(!strcmp(type, BLPDISTILL) ? t == BLP_TIE_FEATURE || t == BLP_TIE_SCALAR
                                                                 : t != BLP_TIE_OWN && t != BLP_TIE_SCALAR);
    const Synthetic tied = Adapted(type, s, (BLPTie)t);
    if (ours)
      CHECK_RAISES(PETSC_ERR_SUP, SyntheticFromData(TEST_COMM, type, &tied, &blp));
    else
      PetscCall(SyntheticFromData(TEST_COMM, type, &tied, &blp));
    PetscCall(BLPDestroy(&blp));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Refusals(void)
{
  BLP blp;
  BLPTie tie;
  Mat T;

  PetscFunctionBegin;
  PetscCall(BlocksCreate(1, BLP_TIE_CLASS, &blp));
  CHECK_RAISES(PETSC_ERR_SUP, BLPSetUp(blp));
  PetscCall(BLPDestroy(&blp));
  PetscCall(BlocksCreate(3, BLP_TIE_CLASS, &blp));
  PetscCall(BLPSetUp(blp));
  PetscCall(BLPSetTie(blp, BLP_TIE_CLASS)); /* nothing changes */
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, BLPSetTie(blp, BLP_TIE_SCALAR));
  PetscCall(BLPGetTie(blp, &tie));
  CHECK(tie == BLP_TIE_CLASS, "tie %s", BLPTies[tie]);
  PetscCall(CreateMap(1, 2, &T));
  CHECK_RAISES(PETSC_ERR_ARG_INCOMP, BLPSetLambdaMap(blp, T));
  PetscCall(MatDestroy(&T));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, BLPSetUpperL2(blp, -1e-300));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, BLPSetUpperL2(blp, NAN));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, BLPSetUpperL2(blp, (PetscReal)INFINITY));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic cases[] = {
      {.n = {13, 11, 9}, .p = 5, .c = 3, .density = 0.7, .seed = 1},
      {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .bias = PETSC_TRUE, .seed = 2},
      {.n = {30, 20, 10}, .p = 1, .c = 4, .density = 1, .seed = 4},
      {.n = {4, 3, 2}, .p = 9, .c = 2, .density = 0.8, .seed = 3},
  };

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(BLPRegister("blocks", Create_Blocks));
  for (int t = first_tie; t <= last_tie; t++) {
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
      PetscCall(ChainRule(BLPSOFTMAX, &cases[i], (BLPTie)t, itd));
      PetscCall(ChainRule(BLPSOFTMAX, &cases[i], (BLPTie)t, aid));
      PetscCall(ChainRule(BLPHYPERREP, &cases[i], (BLPTie)t, itd));
      PetscCall(ChainRule(BLPHYPERREP, &cases[i], (BLPTie)t, aid));
      if (t == BLP_TIE_CLASS || t == BLP_TIE_WEIGHT) {
        PetscCall(ChainRule(BLPDISTILL, &cases[i], (BLPTie)t, itd));
        PetscCall(ChainRule(BLPDISTILL, &cases[i], (BLPTie)t, aid));
      }
      if (t == BLP_TIE_SCALAR) {
        PetscCall(ChainRule(BLPDATACLEAN, &cases[i], (BLPTie)t, itd));
        PetscCall(ChainRule(BLPDATACLEAN, &cases[i], (BLPTie)t, aid));
      }
    }
    PetscCall(FiniteDifferences(&cases[0], (BLPTie)t, 0));
    PetscCall(FiniteDifferences(&cases[1], (BLPTie)t, 0.3));
    PetscCall(Penalty(&cases[0], (BLPTie)t));
    PetscCall(UpperGradient(3, (BLPTie)t));
    if (t != BLP_TIE_CLASS) PetscCall(UpperGradient(1, (BLPTie)t));
    PetscCall(KeptLambda((BLPTie)t));
    if (t == BLP_TIE_CLASS || t == BLP_TIE_SCALAR) PetscCall(HeldLambda((BLPTie)t));
  }
  PetscCall(LinearMap(&cases[0], BLP_TIE_OWN));
  PetscCall(LinearMap(&cases[1], BLP_TIE_WEIGHT));
  PetscCall(ChangedMap(&cases[0]));
  PetscCall(Callbacks(PETSC_FALSE));
  PetscCall(Callbacks(PETSC_TRUE));
  PetscCall(Touched(&cases[0]));
  PetscCall(Refusals());
  PetscCall(RefusedTies(BLPDISTILL, &cases[0]));
  PetscCall(RefusedTies(BLPDATACLEAN, &cases[0]));
  PetscCall(TestFinalize());
  return 0;
}
