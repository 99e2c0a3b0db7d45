/* Problem logistic: against softmax with two classes, its constants, their gradients, labels, bounds,
   refusals. Formulas and derivatives against a dense reference: t20-blp. */
#include "dense.h"
#include "files.h"

/* A problem on its own data, and w at a point. */
typedef struct {
  BLP blp;
  Dense *dense;
  Vec lambda, w;
  PetscReal *l, *at;
} Case;

static PetscErrorCode CaseCreate(const Synthetic *s, Case *k)
{
  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPLOGISTIC, s, &k->blp));
  PetscCall(DenseCreate(BLPLOGISTIC, s, &k->dense));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, &k->w));
  PetscCall(SyntheticLambda(k->blp, s, 1, 1, 0, k->lambda));
  PetscCall(TwofoldVecSetRandomNormal(k->w, 2));
  PetscCall(PetscMalloc2(k->dense->nlambda, &k->l, k->dense->nw, &k->at));
  PetscCall(VecGather(k->lambda, k->l));
  PetscCall(VecGather(k->w, k->at));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(PetscFree2(k->l, k->at));
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->w));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* E is n' times that of softmax with the weights (0, w), and its gradient n' times the second column's. */
static PetscErrorCode AgainstSoftmax(void)
{
  const Synthetic s = {.n = {13, 11, 0}, .p = 5, .c = 2, .density = 0.7, .seed = 1};
  Synthetic own = SyntheticSpec(BLPLOGISTIC, &s);
  PetscReal E, mean, difference, *w, *W, *g, *G;
  Vec lambda, x, gx, theta, y, gy;
  BLP blp, softmax;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPLOGISTIC, &own, &blp));
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &own, &softmax));
  PetscCall(BLPCreateVecs(blp, &lambda, &x));
  PetscCall(BLPCreateVecs(softmax, &theta, &y));
  PetscCall(VecDuplicate(x, &gx));
  PetscCall(VecDuplicate(y, &gy));
  PetscCall(VecSet(lambda, 1));
  PetscCall(TwofoldVecSetRandomNormal(x, 3));
  PetscCall(PetscCalloc4(s.p, &w, 2 * s.p, &W, s.p, &g, 2 * s.p, &G));
  PetscCall(VecGather(x, w));
  for (PetscInt j = 0; j < s.p; j++) W[2 * j + 1] = w[j];
  PetscCall(VecFill(y, W));
  PetscCall(BLPUpper(blp, lambda, x, &E, gx, NULL));
  PetscCall(BLPUpper(softmax, theta, y, &mean, gy, NULL));
  CHECK_CLOSE(E, s.n[1] * mean, 1e-13, "E against softmax");
  PetscCall(VecGather(gy, G));
  for (PetscInt j = 0; j < s.p; j++) g[j] = s.n[1] * G[2 * j + 1];
  PetscCall(VecDifference(gx, g, &difference));
  CHECK(difference <= 1e-13, "grad1 E differs from softmax's by %g", difference);
  PetscCall(PetscFree4(w, W, g, G));
  Vec *const vecs[] = {&lambda, &x, &gx, &theta, &y, &gy};
  for (int i = 0; i < 6; i++) PetscCall(VecDestroy(vecs[i]));
  PetscCall(BLPDestroy(&blp));
  PetscCall(BLPDestroy(&softmax));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ constants */

static PetscReal Norm(PetscInt n, const PetscReal a[], const PetscReal b[])
{
  PetscReal sum = 0;

  for (PetscInt i = 0; i < n; i++) sum += PetscSqr(a[i] - b[i]);
  return PetscSqrtReal(sum);
}

/* Quotients of two points: ||H - H'|| and ||grad1 E - grad1 E'|| by the distance. */
static PetscErrorCode Quotients(const Case *k, const PetscReal a[], const PetscReal b[], PetscReal *nu1,
                                PetscReal *eta1)
{
  const PetscInt n = k->dense->nw;
  const PetscReal distance = Norm(n, a, b);
  PetscReal *H[2], *g[2], *e;

  PetscFunctionBegin;
  PetscCall(PetscMalloc5(n * n, &H[0], n * n, &H[1], n, &g[0], n, &g[1], n, &e));
  DenseHessian(k->dense, k->l, a, H[0]);
  DenseHessian(k->dense, k->l, b, H[1]);
  for (PetscInt i = 0; i < n * n; i++) H[0][i] -= H[1][i];
  PetscCall(DenseEigenvalues(n, H[0], e));
  *nu1 = PetscMax(PetscAbsReal(e[0]), PetscAbsReal(e[n - 1])) / distance;
  DenseUpper(k->dense, a, g[0]);
  DenseUpper(k->dense, b, g[1]);
  *eta1 = Norm(n, g[0], g[1]) / distance;
  PetscCall(PetscFree5(H[0], H[1], g[0], g[1], e));
  PetscFunctionReturn(0);
}

/* A point in the ball of this radius around w. */
static void InBall(const Case *k, PetscInt64 seed, PetscReal radius, PetscReal x[])
{
  const PetscInt n = k->dense->nw;
  const PetscReal share = (PetscReal)(TwofoldRandomBits(seed, -1) & 0xffff) / 0xffff;
  PetscReal norm = 0;

  for (PetscInt j = 0; j < n; j++) {
    x[j] = TwofoldRandomNormal(seed, j);
    norm += PetscSqr(x[j]);
  }
  norm = PetscSqrtReal(norm);
  for (PetscInt j = 0; j < n; j++) x[j] = k->at[j] + radius * share * x[j] / norm;
}

/* No pair of points in a ball violates a constant, all of which are proved. */
static PetscErrorCode Lipschitz(const Synthetic *s, PetscReal radius)
{
  PetscReal *x[2];
  BLPLipschitz c;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(s, &k));
  const PetscInt n = k.dense->nw;
  PetscCall(PetscMalloc2(n, &x[0], n, &x[1]));
  PetscCall(BLPGetLipschitz(k.blp, PETSC_FALSE, k.lambda, k.w, radius, &c));
  const TwofoldConstant *const all[] = {&c.eta1, &c.eta2, &c.nu1, &c.nu2, &c.L_Phi};
  for (int i = 0; i < 5; i++)
    CHECK(all[i]->standing == TWOFOLD_PROVED && all[i]->value >= 0, "constant %d: %s, %g", i,
          TwofoldStandings[all[i]->standing], all[i]->value);
  CHECK(c.eta2.value == 0, "eta2 %g", c.eta2.value);
  const PetscReal tie = s->tie == BLP_TIE_SCALAR ? PetscSqrtReal(n) : 1; /* ||T|| */
  CHECK_CLOSE(c.nu2.value, tie, 1e-15, "nu2");
  for (PetscInt m = 0; m < 40; m++) {
    PetscReal nu1, eta1, largest = 0, length = 0;
    for (int i = 0; i < 2; i++) InBall(&k, 100 + 2 * m + i, radius, x[i]);
    PetscCall(Quotients(&k, x[0], x[1], &nu1, &eta1));
    CHECK(nu1 <= c.nu1.value * (1 + 1e-12), "pair %d: nu1 %g above %g", (int)m, nu1, c.nu1.value);
    CHECK(eta1 <= c.eta1.value * (1 + 1e-12), "pair %d: eta1 %g above %g", (int)m, eta1, c.eta1.value);
    for (PetscInt j = 0; j < n; j++) {
      largest = PetscMax(largest, PetscAbsReal(x[0][j]));
      length += PetscSqr(x[0][j]);
    }
    const PetscReal L_Phi = s->tie == BLP_TIE_SCALAR ? PetscSqrtReal(length) : largest;
    CHECK(L_Phi <= c.L_Phi.value * (1 + 1e-12), "point %d: L_Phi %g above %g", (int)m, L_Phi, c.L_Phi.value);
  }
  PetscCall(PetscFree2(x[0], x[1]));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* With one sample of one feature they are attained: eta1 and L around w = 0, nu1 where |psi'''| is largest,
   at exp(t) = 2 + sqrt 3, and L_Phi at the ball's end. */
static PetscErrorCode Attained(void)
{
  const Synthetic s = {.n = {2, 2, 0}, .p = 1, .c = 2, .density = 1, .seed = 9};
  const PetscReal h = 1e-3;
  PetscReal nu1, eta1, a, b, both = 0;
  TwofoldConstant L;
  BLPLipschitz c;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(&s, &k));
  PetscCall(BLPGetLipschitz(k.blp, PETSC_FALSE, k.lambda, k.w, 0.5, &c));
  PetscCall(BLPGetSmoothness(k.blp, k.lambda, &L));
  CHECK_CLOSE(c.L_Phi.value, PetscAbsReal(k.at[0]) + 0.5, 1e-15, "L_Phi");
  a = -h;
  b = h;
  PetscCall(Quotients(&k, &a, &b, &nu1, &eta1));
  CHECK_CLOSE(eta1, c.eta1.value, 1e-6, "eta1 around w = 0");
  a = 0;
  DenseHessian(k.dense, k.l, &a, &b);
  CHECK_CLOSE(b, L.value, 1e-12, "L at w = 0");
  /* nu1 adds up x^2 |psi'''| of both samples; that of the larger one is attained */
  const PetscReal x0 = PetscAbsReal(k.dense->X[0][0]), x1 = PetscAbsReal(k.dense->X[0][1]);
  const PetscReal x = PetscMax(x0, x1), other = PetscMin(x0, x1);
  a = PetscLogReal(2 + PetscSqrtReal(3)) / x - h;
  b = a + 2 * h;
  PetscCall(Quotients(&k, &a, &b, &nu1, &eta1));
  const PetscReal most = x * x * x / (6 * PetscSqrtReal(3));
  both = (x * x + other * other) * x / (6 * PetscSqrtReal(3));
  CHECK_CLOSE(c.nu1.value, both, 1e-12, "nu1");
  CHECK(nu1 >= (1 - 1e-4) * most, "nu1 %g is not attained by the larger sample: %g of %g", c.nu1.value, nu1,
        most);
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* g against central differences of a constant along each coordinate. */
static PetscErrorCode CompareGradient(BLP blp, Vec lambda, Vec g,
                                      PetscErrorCode (*constant)(BLP, Vec, TwofoldConstant *))
{
  const PetscReal h = 1e-5;
  TwofoldConstant side[2];
  PetscReal *slope, difference;
  PetscInt n;
  Vec x;

  PetscFunctionBegin;
  PetscCall(VecGetSize(lambda, &n));
  PetscCall(VecDuplicate(lambda, &x));
  PetscCall(PetscMalloc1(n, &slope));
  for (PetscInt j = 0; j < n; j++) {
    for (int i = 0; i < 2; i++) {
      PetscMPIInt rank;
      PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
      PetscCall(VecCopy(lambda, x));
      if (rank == 0) PetscCall(VecSetValue(x, j, i ? -h : h, ADD_VALUES));
      PetscCall(VecAssemblyBegin(x));
      PetscCall(VecAssemblyEnd(x));
      PetscCall((*constant)(blp, x, &side[i]));
    }
    slope[j] = (side[0].value - side[1].value) / (2 * h);
  }
  PetscCall(VecDifference(g, slope, &difference));
  CHECK(difference <= 1e-9, "the gradient of a constant differs by %g from differences", difference);
  PetscCall(PetscFree(slope));
  PetscCall(VecDestroy(&x));
  PetscFunctionReturn(0);
}

static PetscErrorCode Gradients(BLPTie tie)
{
  const Synthetic s = {.n = {13, 11, 0}, .p = 7, .c = 2, .density = 0.7, .seed = 4, .tie = tie};
  PetscReal *all;
  PetscInt n;
  Case k;
  Vec g;

  PetscFunctionBegin;
  PetscCall(CaseCreate(&s, &k));
  PetscCall(VecDuplicate(k.lambda, &g));
  PetscCall(BLPGetStrongConvexityGradient(k.blp, k.lambda, g));
  PetscCall(CompareGradient(k.blp, k.lambda, g, BLPGetStrongConvexity));
  PetscCall(BLPGetSmoothnessGradient(k.blp, k.lambda, g));
  PetscCall(CompareGradient(k.blp, k.lambda, g, BLPGetSmoothness));
  PetscCall(VecGetSize(g, &n));
  PetscCall(PetscMalloc1(n, &all));
  PetscCall(VecSet(k.lambda, 0.3)); /* all tie: the first entry */
  for (int largest = 0; largest < 2; largest++) {
    PetscCall((largest ? BLPGetSmoothnessGradient : BLPGetStrongConvexityGradient)(k.blp, k.lambda, g));
    PetscCall(VecGather(g, all));
    for (PetscInt j = 0; j < n; j++)
      CHECK(all[j] == (j == 0 ? 1 : 0), "entry %d of the gradient at a tie: %g", (int)j, all[j]);
  }
  PetscCall(PetscFree(all));
  PetscCall(VecDestroy(&g));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ labels, bounds, refusals */

/* The problem of two files. */
static PetscErrorCode FromFiles(const char train[], const char val[], BLP *blp)
{
  char text[3 * PETSC_MAX_PATH_LEN];
  PetscOptions options;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "-blp_type logistic -blp_train %s -blp_val %s", train, val));
  PetscCall(OptionsUse(text, &options));
  PetscCall(BLPCreate(TEST_COMM, blp));
  PetscCall(BLPSetFromOptions(*blp));
  PetscCall(OptionsDrop(&options));
  PetscFunctionReturn(0);
}

/* Any two labels are -1 and 1, the lower one -1; a validation file with one of them follows the training
   file; names in alphabetical order. E at w = (1, -2), by hand. */
static PetscErrorCode Labels(const char folder[])
{
  const char *const train[] = {"5 1:1\n2 2:1\n", "1 1:1\n-1 2:1\n", "a,b,y\n1,0,zebra\n0,1,ant\n"};
  const char *const val[] = {"5 1:1 2:0.5\n5 1:3\n", "1 1:1 2:0.5\n1 1:3\n",
                             "a,b,y\n1,0.5,zebra\n3,0,zebra\n"};
  const PetscReal w[] = {1, -2}, expected = log1p(exp(0)) + log1p(exp(-3));
  char paths[2][PETSC_MAX_PATH_LEN];
  PetscReal E;
  Vec lambda, x;
  BLP blp;

  PetscFunctionBegin;
  for (int i = 0; i < 3; i++) {
    PetscCall(TextWrite(folder, i == 2 ? "t.csv" : "t.svm", train[i], paths[0]));
    PetscCall(TextWrite(folder, i == 2 ? "v.csv" : "v.svm", val[i], paths[1]));
    PetscCall(FromFiles(paths[0], paths[1], &blp));
    PetscCall(BLPCreateVecs(blp, &lambda, &x));
    PetscCall(VecFill(x, w));
    PetscCall(VecSet(lambda, 1));
    PetscCall(BLPUpper(blp, lambda, x, &E, NULL, NULL));
    CHECK_CLOSE(E, expected, 1e-15, "E of a file");
    PetscCall(VecDestroy(&lambda));
    PetscCall(VecDestroy(&x));
    PetscCall(BLPDestroy(&blp));
  }
  PetscCall(TextWrite(folder, "t.svm", "1 1:1\n2 1:2\n3 1:3\n", paths[0]));
  PetscCall(FromFiles(paths[0], paths[0], &blp));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "-blp_type softmax", BLPSetUp(blp));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

static PetscErrorCode Refusals(void)
{
  const Synthetic s = {.n = {13, 11, 0}, .p = 7, .c = 2, .density = 0.7, .seed = 4};
  TwofoldConstant mu;
  PetscReal value;
  PetscMPIInt rank;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(&s, &k));
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  if (rank == 0) PetscCall(VecSetValue(k.lambda, 4, -0.5, INSERT_VALUES));
  PetscCall(VecAssemblyBegin(k.lambda));
  PetscCall(VecAssemblyEnd(k.lambda));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "lambda_4 = -0.5", BLPUpper(k.blp, k.lambda, k.w, &value, NULL, NULL));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, BLPLossGradient(k.blp, k.lambda, k.w, &value, k.w));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, BLPLossLinearize(k.blp, k.lambda, k.w));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, BLPGetStrongConvexity(k.blp, k.lambda, &mu));
  PetscCall(VecSet(k.lambda, 0));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "lambda_0 = 0", BLPGetSmoothness(k.blp, k.lambda, &mu));
  PetscCall(VecSet(k.lambda, 1));
  PetscCall(BLPGetStrongConvexity(k.blp, k.lambda, &mu));
  CHECK(mu.value == 1, "mu %g", mu.value);
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* The lower bound of a positive lambda: as long as theta, not in place of the caller's, and gone with the
 * type.
 */
static PetscErrorCode Bounds(BLPTie tie)
{
  const Synthetic s = {.n = {13, 11, 0}, .p = 7, .c = 2, .density = 0.7, .seed = 4, .tie = tie};
  PetscReal least, most;
  PetscInt n, nlambda;
  Vec lower, upper, mine;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(&s, &k));
  PetscCall(BLPGetBounds(k.blp, &lower, &upper));
  CHECK(lower && !upper, "bounds of a positive lambda");
  PetscCall(VecGetSize(lower, &n));
  PetscCall(BLPGetSizes(k.blp, &nlambda, NULL));
  PetscCall(VecMin(lower, NULL, &least));
  PetscCall(VecMax(lower, NULL, &most));
  CHECK(n == nlambda && least > 0 && most <= 1e-6, "%d lower bounds in [%g, %g]", (int)n, least, most);
  PetscCall(VecDuplicate(lower, &mine));
  PetscCall(BLPGetStart(k.blp, mine));
  PetscCall(VecMin(mine, NULL, &least));
  PetscCall(VecMax(mine, NULL, &most));
  CHECK(least == 1 && most == 1, "the start is in [%g, %g]", least, most);
  PetscCall(VecSet(mine, 3));
  PetscCall(BLPSetBounds(k.blp, NULL, mine));
  PetscCall(BLPGetBounds(k.blp, &lower, &upper));
  CHECK(lower && lower != mine && upper == mine, "an upper bound of the caller's");
  PetscCall(BLPSetBounds(k.blp, mine, NULL));
  PetscCall(BLPGetBounds(k.blp, &lower, &upper));
  CHECK(lower == mine && !upper, "the caller's bounds");
  PetscCall(VecDestroy(&mine));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ synthetic samples */

static PetscErrorCode Objective(MPI_Comm comm, const char text[], PetscReal *E, BLPMetrics *test)
{
  PetscOptions options;
  Vec lambda, w;
  BLP blp;

  PetscFunctionBegin;
  PetscCall(OptionsUse(text, &options));
  PetscCall(BLPCreate(comm, &blp));
  PetscCall(BLPSetFromOptions(blp));
  PetscCall(BLPCreateVecs(blp, &lambda, &w));
  PetscCall(OptionsDrop(&options));
  PetscCall(VecSet(lambda, 1));
  PetscCall(TwofoldVecSetRandomNormal(w, 5));
  PetscCall(BLPUpper(blp, lambda, w, E, NULL, NULL));
  PetscCall(BLPEvaluate(blp, BLP_TEST, lambda, w, test));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* -blp_data synthetic: the same on all ranks as on one. */
static PetscErrorCode FromOptions(void)
{
  const char text[] = "-blp_type logistic -blp_data synthetic -blp_synthetic_n 23 -blp_synthetic_nval 19 "
                      "-blp_synthetic_ntest 11 -blp_synthetic_p 9 -blp_synthetic_noise 0.3 -blp_seed 4";
  BLPMetrics here, there;
  PetscReal E, alone;

  PetscFunctionBegin;
  PetscCall(Objective(TEST_COMM, text, &E, &here));
  PetscCall(Objective(PETSC_COMM_SELF, text, &alone, &there));
  CHECK_CLOSE(E, alone, 1e-13, "E on all ranks and on one");
  CHECK_CLOSE(here.loss, there.loss, 1e-13, "test loss on all ranks and on one");
  CHECK(here.n == 11 && here.accuracy == there.accuracy, "%d test samples, accuracy %g, alone %g",
        (int)here.n, here.accuracy, there.accuracy);
  PetscFunctionReturn(0);
}

/* A product is at the point of linearisation, whatever lambda was evaluated in between. */
static PetscErrorCode Between(const Synthetic *s)
{
  const BLPSweep product = {.step = -1};
  PetscReal E, difference;
  Vec other, v, y[2];
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(s, &k));
  PetscCall(VecDuplicate(k.lambda, &other));
  PetscCall(VecSet(other, 3));
  PetscCall(VecDuplicate(k.w, &v));
  PetscCall(TwofoldVecSetRandomNormal(v, 5));
  PetscCall(BLPLossLinearize(k.blp, k.lambda, k.w));
  for (int i = 0; i < 2; i++) {
    PetscCall(VecDuplicate(k.w, &y[i]));
    PetscCall(BLPLossHessianSweep(k.blp, &product, v, NULL, y[i], NULL));
    PetscCall(BLPUpper(k.blp, other, k.w, &E, NULL, NULL));
  }
  PetscCall(VecAXPY(y[0], -1, y[1]));
  PetscCall(VecNorm(y[0], NORM_2, &difference));
  CHECK(difference == 0, "the product changes by %g with an evaluation at another lambda", difference);
  PetscCall(VecDestroy(&y[0]));
  PetscCall(VecDestroy(&y[1]));
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&other));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  Synthetic cases[] = {
      {.n = {13, 11, 0}, .p = 5, .c = 2, .density = 0.7, .seed = 1},
      {.n = {4, 3, 0}, .p = 9, .c = 2, .density = 0.8, .seed = 3},
      {.n = {7, 5, 0}, .p = 3, .c = 2, .density = 0, .seed = 5},
      {.n = {13, 11, 0}, .p = 5, .c = 2, .density = 0.7, .seed = 6, .tie = BLP_TIE_SCALAR},
  };
  char folder[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(FolderCreate(folder));
  PetscCall(AgainstSoftmax());
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    PetscCall(Lipschitz(&cases[i], 0.1));
    PetscCall(Lipschitz(&cases[i], 10));
  }
  PetscCall(Between(&cases[0]));
  PetscCall(Between(&cases[3]));
  PetscCall(Attained());
  PetscCall(Gradients(BLP_TIE_OWN));
  PetscCall(Gradients(BLP_TIE_SCALAR));
  PetscCall(Labels(folder));
  PetscCall(Refusals());
  PetscCall(Bounds(BLP_TIE_OWN));
  PetscCall(Bounds(BLP_TIE_SCALAR));
  PetscCall(FromOptions());
  PetscCall(FolderRemove(folder));
  PetscCall(TestFinalize());
  return 0;
}
